"""Groups run for real: whatever shares a step, the results are those of `kedro run`."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from .random_pipelines import RandomPipelines, random_pipelines

GROUPINGS: dict[str, Any] = {
    "threads": {"by": "tag", "runner": "thread", "max_workers": 2},
    "processes": {"by": "tag", "runner": "parallel", "max_workers": 2},
    "memory": "memory",
    "all": "all",
    "chain": "chain",
    "auto": {"by": "auto", "overhead": 2, "assume": 5},
}


SEED = 7


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> RandomPipelines:
    return random_pipelines(tmp_path_factory.mktemp("random"), list(GROUPINGS), seed=SEED)


@pytest.fixture(scope="module")
def at_home(pipelines: RandomPipelines) -> dict[str, Any]:
    return pipelines.at_home()


@pytest.mark.parametrize("name", list(GROUPINGS))
def test_results_are_those_of_kedro_run(name: str, pipelines: RandomPipelines, at_home: dict[str, Any]) -> None:
    project = pipelines.project
    project.conf("kubeflow", {"run_config": {"grouping": GROUPINGS[name]}}, env=name)
    done = project.run_once("-e", name, "-p", name).ok()
    steps = done.facts["steps"]
    results = {dataset: load(Path(path)) for step in steps for dataset, path in step["outputs"].items()}
    spec = pipelines.specs[name]
    read = {d for s in spec for d in s["inputs"]}
    expected = {d for s in spec for d in s["outputs"] if d.endswith("_file") or d not in read}
    assert expected <= set(results)
    assert {d: results[d] for d in expected} == {d: at_home[d] for d in expected}


def load(path: Path) -> Any:
    return pickle.loads(path.read_bytes()) if path.suffix == ".pkl" else json.loads(path.read_text())
