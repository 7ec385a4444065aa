"""All that is awkward, in one project, run for real: compiled, then run by kfp.local, a process a step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from golden_file import check_golden
from kedro_project import KedroProject

from .awkward import awkward_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    return awkward_project(tmp_path_factory.mktemp("awkward"))


@pytest.fixture(scope="module")
def run(project: KedroProject) -> dict[str, Any]:
    done = project.run_once(fresh=True).ok()
    facts: dict[str, Any] = json.loads(done.out[done.out.index("\n{") :])
    return {**facts, "printed": done.err}


def step(run: dict[str, Any], title: str) -> dict[str, Any]:
    return next(s for s in run["steps"] if s["step"] == title)


def executor_output(run: dict[str, Any], output: str) -> dict[str, Any]:
    """KFP's record of the step that made an output."""
    folder = Path(output)
    while not (folder / "executor_output.json").exists():
        folder = folder.parent
    artifacts: dict[str, Any] = json.loads((folder / "executor_output.json").read_text())["artifacts"]
    return {name: a["artifacts"][0] for name, a in artifacts.items()}


def test_every_step_succeeded(run: dict[str, Any]) -> None:
    assert {s["state"] for s in run["steps"]} == {"SUCCEEDED"}
    assert len(run["steps"]) == 10


def test_data_is_written_once_straight_to_its_artifact(run: dict[str, Any], project: KedroProject) -> None:
    written = sorted(p.name for p in (project.path / "data").rglob("*") if p.is_file())
    assert written == ["raw.csv"]


def test_extensions_survive_and_pages_are_single_files(run: dict[str, Any]) -> None:
    outputs = step(run, "draw")["outputs"]
    assert Path(outputs["plot"]).suffix == ".json"
    assert Path(outputs["page"]).read_text("utf-8").startswith("<h1>Report żółć")
    assert Path(outputs["notes"]).read_text("utf-8") == "# Report"


def test_partitions_and_versions_keep_their_folders(run: dict[str, Any]) -> None:
    parts = Path(step(run, "partition")["outputs"]["partitions"])
    assert sorted(str(p.relative_to(parts)) for p in parts.rglob("*.csv")) == ["left/part.csv", "right.csv"]
    version = Path(step(run, "versioned")["outputs"]["versioned_json"])
    assert [p.name for p in version.rglob("*") if p.is_file()] == ["v.json"]


def test_metrics_are_flat_numbers_in_the_artifacts_metadata(run: dict[str, Any]) -> None:
    metrics = executor_output(run, step(run, "join")["outputs"]["metrics"])["metrics"]
    assert metrics["metadata"] == {"accuracy": 0.5, "nested.f1": 1.0, "rows": 4.0, "display_name": "metrics"}


def test_plots_have_pictures(run: dict[str, Any]) -> None:
    made = executor_output(run, step(run, "draw")["outputs"]["plot"])
    pages = {
        a["metadata"]["display_name"]: Path(a["uri"]).read_text("utf-8") for n, a in made.items() if "picture" in n
    }
    assert "data:image/png;base64," in pages["figure (picture)"]
    assert "plotly" in pages["plot (picture)"]
    assert "cdn" not in pages["plot (picture)"].split("</script>")[-1]


def test_what_is_too_large_stays_and_is_said(run: dict[str, Any]) -> None:
    assert "The parameter 'large' stays in the project's conf" in run["printed"]


def test_the_folder_is_ignored_by_git_by_itself(run: dict[str, Any], project: KedroProject) -> None:
    assert "*" in (project.path / ".kubeflow" / ".gitignore").read_text().splitlines()


def test_the_compiled_pipeline_is_the_golden_one_and_the_one_that_ran(
    run: dict[str, Any], project: KedroProject
) -> None:
    printed = project.kedro("kubeflow", "compile", "-o", "-").ok().out
    text = printed[printed.index("# PIPELINE DEFINITION") :]
    again = project.kedro("kubeflow", "compile", "-o", "again.yaml").ok()
    assert "pipeline 'demo', 10 steps" in again.err
    assert (project.path / "again.yaml").read_text("utf-8") == text
    assert (Path(run["folder"]) / "pipeline.yaml").read_text("utf-8") == text
    check_golden("awkward.yaml", text)
