"""A run that goes on from one that has itself gone on from another, without MLflow: the pipelines say what was taken over."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project

PIPELINE = """
from kedro.pipeline import Pipeline, node

def split(raw, limit):
    return [x for x in raw if x < limit], [x for x in raw if x >= limit]

def double(large):
    return [2 * x for x in large]

def total(small, doubled):
    TOTAL
    return {"total": sum(small) + sum(doubled)}

def tell(report):
    TELL
    return report["total"]

def create_pipeline():
    return Pipeline([
        node(split, ["raw", "params:limit"], ["small", "large"], name="split", tags="group.first"),
        node(double, "large", "doubled", name="double", tags="group.first"),
        node(total, ["small", "doubled"], "report", name="total"),
        node(tell, "report", "told", name="tell"),
    ])
"""
RUN_CONFIG = {"image": "demo:1", "mlflow": {"enabled": False}}
TOGETHER = {"by": "tag", "prefix": "group."}


def code(total: str = "pass", tell: str = "pass") -> str:
    return PIPELINE.replace("TOTAL", total).replace("TELL", tell)


@dataclass(frozen=True)
class Chain:
    """Three runs: the first fails in `total`, the second, which goes on from it, in `tell`; the third goes on from that one."""

    project: KedroProject
    runs: tuple[str, str, str]
    said: tuple[str, str, str]

    def plan(self, run: str, *words: str) -> dict[str, Any]:
        done = self.project.kubeflow("plan", "--target", "local", "--output", "json", "--resume", run, *words).ok()
        made: dict[str, Any] = done.facts
        return {"taken_over": made["taken_over"], "reasons": made["reasons"]}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    project = make_project(
        tmp_path_factory.mktemp("again"), pipelines=code("1 / 0"), kubeflow={"run_config": RUN_CONFIG}
    )
    project.conf("kubeflow", {"run_config": {**RUN_CONFIG, "grouping": TOGETHER}}, env="together")
    runs, said = [], []
    for source, more in ((None, ()), (code(tell="1 / 0"), ("--resume",)), (code(), ("--resume",))):
        if source:
            project.write("src/demo/pipelines/main/__init__.py", source)
        words = ("--resume", runs[-1]) if more else ()
        done = project.run_once(*words)
        runs.append(str(done.facts["run_id"]))
        said.append(done.err)
    return Chain(project, tuple(runs), tuple(said))  # type: ignore[arg-type]


def test_what_was_taken_over_is_taken_over_again(chain: Chain) -> None:
    first, second, third = chain.runs
    assert f"Going on from {first}: 2 steps taken over, 2 to run" in chain.said[1]
    assert f"Going on from {second}: 3 steps taken over, 1 to run" in chain.said[2]
    listed = chain.project.kubeflow("artifacts", third, "--output", "json").ok().out
    found = {
        a["dataset"]: (a["step"], a["taken_over_from"], a["size"]) for a in json.loads(listed[listed.index("[") :])
    }
    assert {name: told[:2] for name, told in found.items()} == {
        **dict.fromkeys(("small", "large"), ("split", second)),
        "doubled": ("double", second),
        "report": ("total", second),
        "told": ("tell", None),
    }
    assert all(size for _, _, size in found.values())
    text = chain.project.kubeflow("artifacts", third).ok().out
    assert f"split (in {second})" in text


def test_all_of_it_loads_from_the_last_run(chain: Chain) -> None:
    script = (
        "import kedro_kubeflow\n"
        "run = kedro_kubeflow.run('latest', target='local')\n"
        "print([run.load(name) for name in ('small', 'large', 'doubled', 'report', 'told')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=chain.project.path,
        env=chain.project.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[[1, 2, 3], [4, 5], [8, 10], {'total': 24}, 24]"


def test_from_a_node_on_or_with_other_parameters(chain: Chain) -> None:
    third = chain.runs[2]
    assert chain.plan(third, "--from-nodes", "double") == {
        "taken_over": ["split"],
        "reasons": {"double": "asked for", "total": "follows from double", "tell": "follows from total"},
    }
    changed = chain.plan(third, "--params", "limit=2")
    assert changed["taken_over"] == []
    assert changed["reasons"]["split"] == "parameters have changed: limit"
    trusted = chain.plan(third, "--params", "limit=2", "--trust", "--from-nodes", "tell")
    assert trusted == {"taken_over": ["split", "double", "total"], "reasons": {"tell": "asked for"}}
    assert (
        "Nothing is left to run" in chain.project.kubeflow("plan", "--target", "local", "--resume", third).failed(2).err
    )


def test_steps_may_be_others_now(chain: Chain) -> None:
    """There `split` and `double` were steps of their own; here they share one."""
    planned = chain.plan(chain.runs[0], "--env", "together")
    assert len(planned["taken_over"]) == 1
    assert set(planned["reasons"].values()) == {"did not succeed there"}


def test_the_wrong_place(chain: Chain) -> None:
    said = chain.project.kubeflow("run-once", "--resume", chain.runs[0]).failed(2).err
    assert "is one of this machine" in said
    assert "--target local" in said
    none = chain.project.kubeflow("run-once", "--local", "--resume", "latest", "--pipeline", "main").failed(6).err
    assert "There is no run of 'main' yet on this machine" in none


def test_what_is_gone_is_found_before_anything_runs(chain: Chain) -> None:
    first, *_, third = chain.runs
    for folder in Path(chain.project.path, ".kubeflow/runs", first).rglob("small"):
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    planned = chain.plan(third, "--from-nodes", "total")
    assert planned["taken_over"] == []
    assert planned["reasons"]["split"] == "small is not to be found any more"
    assert planned["reasons"]["double"] == "follows from split"
    # Nobody needs it for what runs here.
    assert chain.plan(third, "--from-nodes", "tell")["taken_over"] == ["split", "double", "total"]
