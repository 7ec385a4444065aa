"""Where artifacts lie is told by a line of a log, and which there are by the compiled pipeline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml
from kedro_project import KUBEFLOW, make_project

from kedro_kubeflow.results.artifact import RunArtifact, line_of, told_in_log, uris_in_log
from kedro_kubeflow.results.spec import artifacts_of


def test_the_line_of_a_log() -> None:
    made = RunArtifact(dataset="ns.größe@pandas", step="ns.train", type="Model", uri="s3://b/k", filename="m.pkl")
    text = f"2026 INFO x\n2026-01-01T00:00:00Z {line_of(made)}\nkedro-kubeflow: artifact {{broken\n" + line_of(
        RunArtifact(dataset="b", step="s", type="Dataset", uri="gs://c")
    )
    assert list(uris_in_log(text)) == [("ns.größe@pandas", "s3://b/k"), ("b", "gs://c")]
    odd = [
        f"kedro-kubeflow: artifact {line}"
        for line in ("[]", '{"dataset": 1, "uri": "x"}', '{"dataset": "a", "uri": "x", "size": "big"}')
    ]
    assert list(told_in_log("\n".join(odd))) == []
    (told,) = told_in_log(line_of(replace(made, size=5)))
    assert (told.dataset, told.step, told.size) == (made.dataset, "ns.train", 5)
    assert made.data_uri == "s3://b/k/m.pkl"
    assert made.at("").data_uri == ""


def test_what_a_compiled_pipeline_promises(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    project.conf("kubeflow", KUBEFLOW)
    project.kubeflow("compile", "-o", "p.yaml").ok()
    spec = next(yaml.safe_load_all((project.path / "p.yaml").read_text()))
    found = {a.dataset: (a.step, a.type, a.filename, a.how) for a in artifacts_of(spec)}
    assert found == {
        "rows": ("prepare", "Dataset", "data.pkl", "memory"),
        "doubled": ("double", "Dataset", "data.pkl", "memory"),
        "report": ("total", "Dataset", "report.json", "file"),
    }
