"""Random Kedro pipelines whose nodes change their inputs in place: only exact copies give exact results."""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kedro_project import KedroProject, make_project

from kedro_kubeflow.errors import CycleError
from kedro_kubeflow.plan.grouping import NodeFacts, by_tag
from kedro_kubeflow.plan.grouping.order import in_order, members_of

NODES = """
import functools
import json
import zlib
from pathlib import Path
from kedro.pipeline import Pipeline, node

def work(*inputs, name, outputs):
    seen = [name]
    for rows in inputs:
        seen += rows
        rows.append("changed in place")
    made = zlib.crc32(json.dumps(seen).encode())
    return tuple([made, number] for number in range(outputs))

def create_pipeline(which):
    specs = json.loads(Path(__file__).with_name("pipelines.json").read_text())
    return Pipeline([
        node(functools.partial(work, name=s["name"], outputs=len(s["outputs"])), s["inputs"], s["outputs"],
             name=s["name"], tags=s["tags"], namespace=None)
        for s in specs[which]
    ])
"""
REGISTRY = """
import json
from pathlib import Path
from demo.nodes import create_pipeline

def register_pipelines():
    names = json.loads(Path(__file__).with_name("pipelines.json").read_text())
    pipelines = {name: create_pipeline(name) for name in names}
    return {**pipelines, "__default__": sum(pipelines.values())}
"""
# What `kedro run` gives: files as they are written, and results in memory as the session returns them.
AT_HOME = """
import json, logging, sys
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
logging.disable()
bootstrap_project(Path.cwd())
found = {}
for name in sys.argv[1:]:
    with KedroSession.create(project_path=Path.cwd(), save_on_close=False) as session:
        results = session.run(pipeline_names=[name])
        catalog = session.load_context().catalog
        specs = json.loads(Path("src/demo/pipelines.json").read_text())[name]
        datasets = {d for s in specs for d in s["outputs"]}
        found |= {d: catalog.load(d) for d in datasets if d in catalog}
        found |= {d: results[d].load() for d in datasets if d in results}
print(json.dumps(found))
"""


@dataclass
class RandomPipelines:
    """A project of several pipelines, and what `kedro run` makes of them."""

    project: KedroProject
    specs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def at_home(self) -> dict[str, Any]:
        script = self.project.write("at_home.py", AT_HOME)
        done = self.project.python(str(script), *self.specs).ok()
        results: dict[str, Any] = json.loads(done.out.splitlines()[-1])
        return results


def random_pipelines(path: Path, names: list[str], seed: int) -> RandomPipelines:
    """Pipelines of four to six nodes; half of their datasets are in the catalog."""
    draw = random.Random(seed)
    specs = {name: _pipeline(name, draw) for name in names}
    declared = [d for spec in specs.values() for s in spec for d in s["outputs"] if d.endswith("_file")]
    catalog = {d: {"type": "json.JSONDataset", "filepath": f"data/{d}.json"} for d in ["raw", *declared]}
    project = make_project(path, registry=REGISTRY, catalog=catalog, parameters={}, data={"data/raw.json": "[1, 2]"})
    project.write("src/demo/nodes.py", NODES)
    project.write("src/demo/pipelines.json", json.dumps(specs))
    return RandomPipelines(project, specs)


def _pipeline(prefix: str, draw: random.Random) -> list[dict[str, Any]]:
    while True:
        spec = _attempt(prefix, draw)
        nodes = {
            s["name"]: NodeFacts(s["name"], tuple(s["inputs"]), tuple(s["outputs"]), frozenset(s["tags"])) for s in spec
        }
        groups = by_tag(list(nodes.values()))
        with contextlib.suppress(CycleError):
            in_order(members_of(groups, nodes), nodes)
            if len(groups) < len(nodes):
                return spec


def _attempt(prefix: str, draw: random.Random) -> list[dict[str, Any]]:
    made, spec = ["raw"], []
    for number in range(draw.randint(4, 6)):
        inputs = draw.sample(made, min(len(made), draw.randint(1, 3)))
        kinds = [draw.choice(["file", "memory"]) for _ in range(draw.randint(1, 2))]
        outputs = [f"{prefix}_{number}_{i}_{kind}" for i, kind in enumerate(kinds)]
        tags = [f"group.{draw.randint(0, 2)}"] if draw.random() < 0.9 else []
        spec.append({"name": f"{prefix}.node_{number}", "inputs": inputs, "outputs": outputs, "tags": tags})
        made += outputs
    return spec
