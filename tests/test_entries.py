"""Where a catalog entry keeps its data, told from its configuration."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_kubeflow.entries import UNSAID, local_path, repoint, unknown_place

LOCAL: dict[str, dict[str, Any]] = {
    "a/b.csv": {"type": "pandas.CSVDataset", "filepath": "a/b.csv"},
    "a/parts": {"type": "partitions.PartitionedDataset", "path": "a/parts", "dataset": {"type": "pandas.CSVDataset"}},
    "a/c.csv": {"type": "kedro.io.CachedDataset", "dataset": {"type": "pandas.CSVDataset", "filepath": "a/c.csv"}},
    "a/d.json": {
        "type": "kedro_mlflow.io.artifacts.MlflowArtifactDataset",
        "artifact_path": "reports",
        "dataset": {"type": "json.JSONDataset", "filepath": "a/d.json"},
    },
    "data/wrapped": {"type": "mine.Wrapper", "folder": "data/wrapped", "dataset": {"type": "pandas.CSVDataset"}},
    "data/06/arrays": {"type": "mine.Arrays", "folder": "data/06/arrays"},
    "data/index.faiss": {"type": "faiss.FAISSVectorStoreDataset", "index_path": "data/index.faiss", "dimension": 4},
    "./chroma_db": {
        "type": "chromadb.ChromaDBDataset",
        "collection_name": "x/y",
        "client_settings": {"path": "./chroma_db"},
    },
    "data/delta": {"type": "mine.Delta", "folder": "data/delta", "table": "t"},
    "data/odd": {"type": "mine.Odd", "where": "data/odd", "metadata": {"kubeflow": {"path_key": "where"}}},
    "data/deep": {"type": "mine.Odd", "o": {"p": "data/deep"}, "metadata": {"kubeflow": {"path_key": "o.p"}}},
}
ELSEWHERE: list[dict[str, Any]] = [
    {"type": "pandas.CSVDataset", "filepath": "s3://bucket/x.csv"},
    {"type": "pandas.SQLTableDataset", "table_name": "x", "credentials": "db"},
    {"type": "pandas.GBQTableDataset", "dataset": "d", "table_name": "t"},
    {"type": "huggingface.HFDataset", "dataset_name": "org/name"},
    {
        "type": "kedro_mlflow.io.models.MlflowModelTrackingDataset",
        "flavor": "mlflow.sklearn",
        "save_args": {"name": "m"},
    },
    {"type": "mine.Table", "location": "EU", "table_name": "t"},
    {"type": "mine.Service", "endpoint": "/v1/x"},
    {"type": "mine.Fsspec", "folder": "gs://bucket/x"},
    {"type": "mine.Plain", "name": "x", "metadata": {"kubeflow": {"remote": True}}},
    {"type": "chromadb.ChromaDBDataset", "collection_name": "c", "client_settings": {"host": "chroma"}},
    {"type": "mlrun.MLRunDataframeDataset", "key": "rows"},
    {"type": "MemoryDataset"},
]
UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"type": "mine.Two", "image_dir": "data/img", "label_file": "data/labels.csv"}, "image_dir, label_file"),
    ({"type": "mine.Odd", "where": "data/odd"}, "where"),
    ({"type": "mine.Odd", "folder": "data/odd", "credentials": "x"}, "folder"),
    ({"type": "mine.Base", "database": "x.db", "table": "t"}, "database"),
    ({"type": "mine.Plain", "name": "x"}, UNSAID),
    ({"type": "mine.Table", "location": "EU"}, UNSAID),
    ({"type": "feast.FeastDataset", "repo": "feature_repo"}, UNSAID),
    ({"type": "chromadb.ChromaDBDataset", "collection_name": "c"}, UNSAID),
]


@pytest.mark.parametrize(("path", "entry"), LOCAL.items(), ids=LOCAL)
def test_a_local_path_is_found_and_replaced(path: str, entry: dict[str, Any]) -> None:
    assert local_path(entry) == path
    assert unknown_place(entry) is None
    moved = repoint(entry, "/elsewhere")
    assert local_path(moved) == "/elsewhere"
    assert local_path(entry) == path, "the entry itself stays as it was"


@pytest.mark.parametrize("entry", ELSEWHERE, ids=lambda e: e["type"])
def test_what_lives_elsewhere_is_known_to(entry: dict[str, Any]) -> None:
    assert local_path(entry) is None
    assert unknown_place(entry) is None


@pytest.mark.parametrize(("entry", "keys"), UNKNOWN, ids=lambda e: str(e))
def test_what_may_be_a_place_is_said(entry: dict[str, Any], keys: str) -> None:
    assert local_path(entry) is None
    assert unknown_place(entry) == keys
