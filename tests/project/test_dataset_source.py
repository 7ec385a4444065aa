"""Whether a dataset's class is here, told without importing it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_kubeflow.project.dataset_source import Lack, arguments_of, lack_of, lacking_import

OWN = {
    "own_datasets/__init__.py": "from own_datasets.inner import *\n",
    "own_datasets/named.py": "from .inner import Inner as Other\n",
    "own_datasets/inner.py": "import json\nimport no_such_package.io\n\nclass Inner: ...\n",
    "own_datasets/lazy.py": "def __getattr__(name): ...\n",
    "own_datasets/guarded.py": "try:\n    import no_such_package\nexcept ImportError: ...\nclass Guarded: ...\n",
    "own_datasets/plain.py": "class OtherDataset: ...\n",
    "own_datasets/made.py": (
        "class Plain:\n    def __init__(self, where, *, how=None): ...\n"
        "class Any:\n    def __init__(self, where, **more): ...\n"
        "class Child(Plain): ...\n"
        "class New:\n    def __new__(cls, dataset): ...\n    def __init__(self, where): ...\n"
    ),
}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in OWN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    lack_of.cache_clear()
    arguments_of.cache_clear()


@pytest.mark.parametrize(
    "type_",
    [
        "MemoryDataset",
        "kedro.io.CachedDataset",
        "pandas.CSVDataset",
        "kedro_datasets.pandas.csv_dataset.CSVDataset",
        "kedro_mlflow.io.models.MlflowModelTrackingDataset",
        "own_datasets.Inner",
        "own_datasets.lazy.Whatever",
        "own_datasets.guarded.Guarded",
    ],
)
def test_there_or_not_to_be_told(type_: str) -> None:
    assert (lack_of(type_), lacking_import(type_)) == (None, None)


@pytest.mark.parametrize(
    ("type_", "said", "known"),
    [
        ("pandas.CSVDatset", "kedro_datasets.pandas has no CSVDatset", "CSVDataset"),
        ("MemoryDatasett", "kedro.io has no MemoryDatasett", "MemoryDataset"),
        ("own_datasets.plain.Nothing", "own_datasets.plain has no Nothing", "OtherDataset"),
        ("own_datasets.no.Nothing", "own_datasets has no module own_datasets.no", ""),
    ],
)
def test_not_there(type_: str, said: str, known: str) -> None:
    lack = lack_of(type_)
    assert lack
    assert (lack.package, lack.said) == ("", said)
    assert not known or known in lack.known


def test_what_is_not_installed() -> None:
    assert lack_of("no_such_package.io.Dataset") == Lack(package="no_such_package")
    for type_ in ("own_datasets.inner.Inner", "own_datasets.named.Other"):
        assert lack_of(type_) is None
        assert lacking_import(type_) == Lack(package="no_such_package")
    found = lacking_import("tensorflow.TensorFlowModelDataset")
    assert found == Lack(package="tensorflow", extra="tensorflow-tensorflowmodeldataset")


def test_nothing_is_imported() -> None:
    code = (
        "import sys; from kedro_kubeflow.project.dataset_source import lack_of, lacking_import\n"
        "for name in ('pandas.CSVDataset', 'plotly.PlotlyDataset', 'kedro_mlflow.io.models.MlflowModelTrackingDataset'):\n"
        "    assert (lack_of(name), lacking_import(name)) == (None, None)\n"
        "print(sorted({'pandas', 'matplotlib', 'kedro', 'kedro_datasets', 'mlflow', 'kedro_mlflow'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("type_", "taken"),
    [
        ("own_datasets.made.Plain", {"where", "how"}),
        ("own_datasets.made.Any", None),
        ("own_datasets.made.Child", None),
        ("own_datasets.made.New", None),
        ("own_datasets.made.Nothing", None),
        ("json.JSONDataset", {"filepath", "save_args", "version", "credentials", "fs_args", "metadata"}),
        ("kedro_mlflow.io.artifacts.MlflowArtifactDataset", None),
    ],
)
def test_what_a_class_takes(type_: str, taken: set[str] | None) -> None:
    assert arguments_of(type_) == taken
