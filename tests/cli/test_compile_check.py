"""`compile --check FILE`: whether a kept file is current."""

from __future__ import annotations

from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project


@pytest.fixture
def project(tmp_path: Path) -> KedroProject:
    made = make_project(tmp_path)
    made.kubeflow("compile", "-o", "kept.yaml").ok()
    return made


def test_a_current_file(project: KedroProject) -> None:
    done = project.kubeflow("compile", "--check", "kept.yaml").ok()
    assert (done.out, "kept.yaml is current" in done.err) == ("", True)
    assert not (project.path / "pipeline.yaml").exists()


def test_what_differs_is_shown_and_nothing_is_written(project: KedroProject) -> None:
    before = (project.path / "kept.yaml").read_text()
    done = project.kubeflow("compile", "--check", "kept.yaml", "--param", "limit=7").failed(1)
    lines = done.out.splitlines()
    assert lines[:2] == ["--- kept.yaml (as it is)", "+++ compiled now"]
    assert [line.strip() for line in lines if line.startswith(("-  ", "+  "))] == [
        "-        defaultValue: 4.0",
        "+        defaultValue: 7.0",
    ]
    assert "kept.yaml is not current" in done.err
    assert (project.path / "kept.yaml").read_text() == before
    assert not (project.path / "pipeline.yaml").exists()


def test_a_long_difference_is_cut(project: KedroProject) -> None:
    (project.path / "kept.yaml").write_text("nothing\n" * 100)
    done = project.kubeflow("compile", "--check", "kept.yaml").failed(1)
    assert len(done.out.splitlines()) == 41
    assert done.out.splitlines()[-1].startswith("… and ")


def test_another_version_of_kfp_is_no_difference(project: KedroProject) -> None:
    kept = project.path / "kept.yaml"
    assert "sdkVersion: kfp-" in kept.read_text()
    kept.write_text(kept.read_text().replace("sdkVersion: kfp-", "sdkVersion: kfp-9."))
    project.kubeflow("compile", "--check", "kept.yaml").ok()


def test_a_file_that_is_not_there(project: KedroProject) -> None:
    done = project.kubeflow("compile", "--check", "nothing.yaml").failed(2)
    assert "There is no compiled pipeline to compare with" in done.err
    assert "compile it with -o" in done.err


def test_what_argo_would_give_up_is_refused_before_it_starts(tmp_path: Path) -> None:
    nodes = "*[node(f, 'raw', f'x{i}', name=f'n{i}') for i in range(400)]"
    large = make_project(tmp_path / "large", pipelines=LARGE.replace("NODES", nodes), parameters={})
    refused = large.kubeflow("compile", "-o", "p.yaml")
    assert refused.code != 0
    assert "Argo takes 1,048,576, which is about" in refused.err
    assert "run_config.workflow_limit" in refused.err
    assert not (large.path / "p.yaml").exists()


LARGE = """
from kedro.pipeline import Pipeline, node

def f(x): return x

def create_pipeline():
    return Pipeline([NODES])
"""
