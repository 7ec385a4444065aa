"""How a dataset crosses, from its catalog entry alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kedro_kubeflow.entries import local_path, repoint
from kedro_kubeflow.errors import CompileError
from kedro_kubeflow.plan.handoff import Handoff, handoff


def entry(kind: str = "pandas.CSVDataset", filepath: str | None = "data/02/x.csv", **more: Any) -> dict[str, Any]:
    return {"type": kind, **({} if filepath is None else {"filepath": filepath}), **more}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, Handoff("memory")),
        ({"type": "MemoryDataset"}, Handoff("memory")),
        ({"type": "kedro.io.MemoryDataset", "copy_mode": "assign"}, Handoff("memory")),
        (entry(), Handoff("file", "Dataset", "x.csv", "data/02/x.csv")),
        (entry(filepath="file:///abs/x.csv"), Handoff("file", "Dataset", "x.csv", "file:///abs/x.csv")),
        (entry(filepath="C:\\data\\x.csv"), Handoff("file", "Dataset", "x.csv", "C:\\data\\x.csv")),
        (entry(filepath="memory://x.csv"), Handoff("file", "Dataset", "x.csv", "memory://x.csv")),
        (entry(filepath="s3://bucket/x.csv"), Handoff("external")),
        (entry(filepath="gs://bucket/x.csv"), Handoff("external")),
        (entry(filepath="abfs://c/x.csv"), Handoff("external")),
        (entry(filepath="simplecache::s3://bucket/x.csv"), Handoff("external")),
        (entry("pandas.SQLTableDataset", None, table_name="t", credentials="db"), Handoff("external")),
        (entry(versioned=True), Handoff("file", "Dataset", "x.csv", "data/02/x.csv", versioned=True)),
        (
            {"type": "partitions.PartitionedDataset", "path": "data/03/parts/", "dataset": "pandas.CSVDataset"},
            Handoff("file", "Dataset", "parts", "data/03/parts/"),
        ),
        (
            {"type": "CachedDataset", "dataset": entry(versioned=True)},
            Handoff("file", "Dataset", "x.csv", "data/02/x.csv", versioned=True),
        ),
        ({"type": "CachedDataset", "dataset": entry(filepath="s3://b/x")}, Handoff("external")),
        (
            {"type": "kedro_mlflow.io.artifacts.MlflowArtifactDataset", "dataset": entry()},
            Handoff("file", "Dataset", "x.csv", "data/02/x.csv"),
        ),
        (
            {
                "type": "kedro_mlflow.io.artifacts.MlflowArtifactDataset",
                "dataset": entry("text.TextDataset", "r/p.html"),
            },
            Handoff("file", "Dataset", "p.html", "r/p.html", plot=True),
        ),
        (entry("kedro_mlflow.io.metrics.MlflowMetricsHistoryDataset", None), Handoff("external", "Metrics")),
        (entry("kedro_mlflow.io.metrics.MlflowMetricDataset", None), Handoff("external", "Metrics")),
        (entry("tensorflow.TensorFlowModelDataset", "m/tf"), Handoff("file", "Model", "tf", "m/tf")),
        (entry("text.TextDataset", "r/page.HTML"), Handoff("file", "HTML", "page.HTML", "r/page.HTML")),
        (entry("text.TextDataset", "r/notes.md"), Handoff("file", "Markdown", "notes.md", "r/notes.md")),
        (
            entry("text.TextDataset", "r/page.html", versioned=True, metadata={"kubeflow": {"artifact_type": "HTML"}}),
            Handoff("file", "Artifact", "page.html", "r/page.html", versioned=True),
        ),
        (
            entry("text.TextDataset", "r/page.html", versioned=True),
            Handoff("file", "Dataset", "page.html", "r/page.html", versioned=True),
        ),
        (entry("plotly.JSONDataset", "r/p.json"), Handoff("file", "Dataset", "p.json", "r/p.json", plot=True)),
        (
            entry("kedro_datasets.matplotlib.MatplotlibDataset", "r/p.png"),
            Handoff("file", "Dataset", "p.png", "r/p.png", plot=True),
        ),
        (
            entry("pickle.PickleDataset", "m/model.pkl", metadata={"kubeflow": {"artifact_type": "model"}}),
            Handoff("file", "Model", "model.pkl", "m/model.pkl"),
        ),
        ({"type": "MemoryDataset", "metadata": {"kubeflow": "Model"}}, Handoff("memory", "Model")),
    ],
    ids=str,
)
def test_the_table(config: dict[str, Any] | None, expected: Handoff) -> None:
    assert replace(handoff("x", config), address="") == expected


def test_an_artifact_type_that_kfp_does_not_have_is_refused() -> None:
    config = entry(metadata={"kubeflow": {"artifact_type": "Modle"}})
    with pytest.raises(CompileError) as caught:
        handoff("x", config)
    assert "Did you mean 'Model'" in str(caught.value)
    assert "dataset 'x', metadata.kubeflow.artifact_type" in str(caught.value)


def test_what_nobody_reads_is_refused() -> None:
    with pytest.raises(CompileError, match="Did you mean 'path_key'"):
        handoff("x", entry(metadata={"kubeflow": {"path_kye": "folder"}}))


def test_other_metadata_is_left_alone() -> None:
    assert handoff("x", entry(metadata={"kedro-viz": {"layer": "raw"}})).artifact_type == "Dataset"
    assert handoff("x", entry(metadata="free text")).artifact_type == "Dataset"


def test_only_the_path_changes_and_the_entry_that_was_given_does_not() -> None:
    wrapped = {"type": "CachedDataset", "dataset": entry(save_args={"index": False})}
    changed = repoint(wrapped, "/new/x.csv")
    assert changed == {"type": "CachedDataset", "dataset": entry(filepath="/new/x.csv", save_args={"index": False})}
    assert local_path(wrapped) == "data/02/x.csv"
