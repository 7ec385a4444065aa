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
    "data/root": {"type": "mine.Images", "root": "data/root"},
    "out": {"type": "mine.Images", "dest": "out"},
    "data/x": {"type": "mine.Checked", "folder": "data/x", "schema_path": "conf/x.json", "cache_dir": "data/cache"},
    "file:/tmp/x": {"type": "spark.SparkDataset", "filepath": "file:/tmp/x"},
    "C:/data/x.csv": {"type": "pandas.CSVDataset", "filepath": "C:/data/x.csv"},
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
    {"type": "spark.SparkDataset", "filepath": "dbfs:/mnt/x"},
    {"type": "spark.SparkDataset", "filepath": "hdfs:/x"},
    {"type": "mine.Object", "bucket_name": "b", "key": "data/x.csv"},
    {"type": "mine.Object", "bucket": "b", "path": "data/x.csv"},
    {"type": "mine.Sftp", "host": "h", "remote_path": "/data/x.csv"},
    {"type": "mine.Table", "table": "t", "key_file": "secrets/key.json"},
    {"type": "mine.Many", "paths": ["s3://b/x", "s3://b/y"]},
]
UNKNOWN: list[tuple[dict[str, Any], str]] = [
    (
        {"type": "feast.FeastDataset", "repo": {"registry": "gs://b/r", "online_store": {"path": "data/online.db"}}},
        "repo.online_store.path",
    ),
    (
        {"type": "feast.FeastDataset", "repo": {"registry": "data/r.db", "online_store": {"path": "data/online.db"}}},
        "repo.online_store.path, repo.registry",
    ),
    ({"type": "mine.Lance", "uri": "data/lancedb", "table_name": "t"}, "uri"),
    ({"type": "mine.Many", "paths": ["data/x", "data/y"]}, "paths.0, paths.1"),
    ({"type": "mine.Both", "datasets": [{"type": "json.JSONDataset", "filepath": "a.json"}]}, "datasets.0.filepath"),
    ({"type": "mine.Either", "first": {"filepath": "a.json"}, "second": {"filepath": "s3://b/a"}}, "first.filepath"),
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


def test_what_lies_inside_of_a_folder_moves_with_it() -> None:
    """A checkpoint must: kedro-datasets refuses one elsewhere on the disk."""
    entry = {
        "type": "partitions.IncrementalDataset",
        "path": "./data/parts/",
        "checkpoint": {"filepath": "data/parts/seen.txt", "force_checkpoint": "data/parts-2/x"},
    }
    moved = repoint(entry, "/out/parts")
    assert moved["path"] == "/out/parts"
    assert moved["checkpoint"] == {"filepath": "/out/parts/seen.txt", "force_checkpoint": "data/parts-2/x"}
