"""Compiling and planning 1,000 nodes in groups, against half as many: time grows with the nodes, not faster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

from .measured import report

pytestmark = pytest.mark.benchmark

NODES = """
from kedro.pipeline import Pipeline, node

def f(*_): return 1, 2

def create_pipeline():
    # Layers of ten: each node reads two of the layer before; ten nodes in a row of layers share a tag.
    return Pipeline([
        node(f, [*(f"d{j}" for j in (i - 10, i - 9) if 0 <= j < i - i % 10), "params:limit"] if i >= 10 else ["raw"],
             [f"d{i}", f"e{i}"], name=f"node_{i}", tags=[f"group.layer_{i // 10}"])
        for i in range(COUNT)
    ])
"""
# The fastest of several: what the machine can do when nothing else disturbs it. Both sizes in turns, in one process.
MEASURE = """
import gc, json, sys, time
from pathlib import Path
from kedro_kubeflow.targets.base.prepare import prepare
from kedro_kubeflow.request import Request
from kedro_kubeflow.cli.plan_view import view_of

def once(path):
    for name in [m for m in sys.modules if m.split(".")[0] == "demo"]:
        del sys.modules[name]
    sys.path[:] = [p for p in sys.path if "project_of_" not in p]
    gc.collect()
    gc.disable()  # Its passes over all objects are the interpreter's, and grow faster than the objects.
    since = time.perf_counter()
    prepared = prepare(Request(path=path))
    assert prepared.compiled.text
    compiled = time.perf_counter()
    plan = view_of(prepared.plan, prepared.config)
    planned = time.perf_counter()
    gc.enable()
    return compiled - since, planned - compiled, len(plan.steps)

found = {}
for _ in range(5):
    for path in map(Path, sys.argv[1:]):
        found.setdefault(path.name, []).append(once(path))
print(json.dumps({name: [min(row[i] for row in rows) for i in (0, 1, 2)] for name, rows in found.items()}))
"""
SIZES = (500, 1000)


def project_of(count: int, folder: Path) -> KedroProject:
    return make_project(
        folder / f"project_of_{count}",
        pipelines=NODES.replace("COUNT", str(count)),
        catalog={
            "raw": {"type": "json.JSONDataset", "filepath": "data/raw.json"},
            "d{number}": {"type": "pickle.PickleDataset", "filepath": "data/d{number}.pkl"},
        },
        kubeflow={"run_config": {"image": "demo:1", "grouping": "tag"}},
    )


def test_time_is_linear_in_nodes(tmp_path: Path) -> None:
    projects = [project_of(count, tmp_path) for count in SIZES]
    done = projects[0].python("-c", MEASURE, *(str(p.path) for p in projects)).ok()
    half, whole = json.loads(done.out.splitlines()[-1]).values()
    assert (half[2], whole[2]) == (50, 100)
    for what, index in (("compile", 0), ("plan", 1)):
        assert report(f"{what} 1,000 nodes in 100 groups, against 500 in 50", whole[index], half[index], 2.3) <= 2.3
