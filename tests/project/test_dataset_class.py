"""Where a dataset keeps its data, told by its class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from kedro.io import AbstractDataset
from kedro_datasets.pandas import SQLTableDataset

from kedro_kubeflow.entries import UNSAID, local_path, repoint, unknown_place, without_mark
from kedro_kubeflow.project.dataset_class import is_opened_in_place, placed, takes_metadata


class Own(AbstractDataset[Any, Any]):
    def load(self) -> Any: ...
    def save(self, data: Any) -> None: ...
    def _describe(self) -> dict[str, Any]:
        return {}


class Where(Own):
    def __init__(self, where: Path | str, name: str = "data/x") -> None: ...


class Text(Own):
    def __init__(self, where: os.PathLike[str], metadata: Any = None) -> None: ...


class Default(Own):
    def __init__(self, folder: str = "data/06/arrays", dimension: int = 4) -> None: ...


class Opened(AbstractDataset[Any, "IndexHandle"]):
    def load(self) -> Any: ...
    def save(self, data: Any) -> None: ...
    def _describe(self) -> dict[str, Any]:
        return {}


class OpenedToo(Own):
    def load(self) -> SearchClient: ...  # type: ignore[name-defined]  # noqa: F821


class TwoPlaces(Own):
    def __init__(self, images: Path, labels: Path = Path("labels.csv")) -> None: ...


class Nowhere(Own):
    def __init__(self, name: str) -> None: ...


class Table(SQLTableDataset):
    def __init__(self, name: str) -> None: ...


FOUND = {
    "data/odd": {"type": f"{__name__}.Where", "where": "data/odd"},
    "odd": {"type": f"{__name__}.Text", "where": "odd"},
    "data/06/arrays": {"type": f"{__name__}.Default", "dimension": 3},
    "other": {"type": f"{__name__}.Default", "folder": "other"},
    "inside": {"type": "CachedDataset", "dataset": {"type": f"{__name__}.Where", "where": "inside"}},
}


@pytest.mark.parametrize(("path", "entry"), FOUND.items(), ids=FOUND)
def test_by_the_type_of_an_argument_or_its_default(path: str, entry: dict[str, Any]) -> None:
    found = placed(entry)
    assert (local_path(found), unknown_place(found)) == (path, None)
    moved = repoint(found, "/elsewhere")
    assert local_path(moved) == "/elsewhere"
    given = without_mark(moved)
    assert {*given, *given.get("dataset", {})} <= {"type", "where", "folder", "dimension", "dataset"}


def test_a_class_that_is_a_table_lives_elsewhere() -> None:
    found = placed({"type": f"{__name__}.Table", "name": "x"})
    assert (local_path(found), unknown_place(found)) == (None, None)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": f"{__name__}.TwoPlaces", "images": "data/img"}, "images"),
        ({"type": f"{__name__}.Nowhere", "name": "x"}, UNSAID),
        ({"type": "no.such.Class", "name": "x"}, UNSAID),
        ({"type": f"{__name__}.Where", "where": "s3://x"}, None),
    ],
)
def test_what_the_class_does_not_tell(entry: dict[str, Any], said: str | None) -> None:
    found = placed(entry)
    assert (local_path(found), unknown_place(found)) == (None, said)


def test_whether_metadata_can_be_given() -> None:
    assert takes_metadata({"type": f"{__name__}.Text"})
    assert not takes_metadata({"type": f"{__name__}.Nowhere"})
    assert takes_metadata({"type": "no.such.Class"})


def test_whether_it_is_opened_in_place() -> None:
    for name in ("Opened", "OpenedToo"):
        assert is_opened_in_place({"type": f"{__name__}.{name}"}), name
    assert is_opened_in_place({"type": "no_such.FAISSVectorStoreDataset"})
    for name in (f"{__name__}.Text", "json.JSONDataset", "pandas.SQLTableDataset", "partitions.PartitionedDataset"):
        assert not is_opened_in_place({"type": name}), name
