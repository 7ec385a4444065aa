"""The step is the user's Kedro: hooks, confirms, sessions, datasets that need their folder, their name, or a model's URI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro_project import KedroProject, make_project

PIPELINE = """
import os
from pathlib import Path
from kedro.io import AbstractDataset
from kedro.pipeline import Pipeline, node

class Proud(AbstractDataset):
    '''Makes no folder, goes by the extension.'''
    def __init__(self, filepath, metadata=None):
        self._path = Path(filepath)
    def _load(self):
        assert self._path.suffix == ".html", self._path
        return self._path.read_text()
    def _save(self, data):
        assert self._path.name == "own name.html", self._path
        self._path.write_text(data)
    def _describe(self): return {}

class Bare(Proud):
    def _load(self): return self._path.read_text()
    def _save(self, data): self._path.write_text(data)

class Fetched(Bare):
    '''Brings its data from elsewhere, as kedro-mlflow's do, into a folder that is there at home.'''
    def _load(self):
        self._path.write_text("fetched")
        return super()._load()

class Several(Proud):
    '''A file for each of what it is given, in a folder that it makes then.'''
    def _load(self): return sorted(file.name for file in self._path.iterdir())
    def _save(self, data):
        for name, text in data.items():
            self._path.mkdir(parents=True, exist_ok=True)
            (self._path / name).write_text(text)

class Pieces(Proud):
    '''The catalog has a pattern, as for dask and Spark.'''
    def _load(self): return [file.read_text() for file in sorted(self._path.parent.glob(self._path.name))]
    def _save(self, data):
        for name in data: Path(str(self._path).replace("*", name)).write_text(name)

def make(raw, audited, same, given):
    assert audited == "by the hook"
    return "<p>page</p>", "bare", {}, {}, {}, ["1", "2"]
def use(page, bare, parts, events, fetched, wrapped, own, pieces):
    assert fetched == "fetched"
    assert (wrapped, own, pieces) == ({}, [], ["1", "2"])
    return {"page": page, "bare": bare, "parts": sorted(parts), "events": sorted(events)}
def lazy(parts): return {"one": parts}, (lambda: parts)
def whole(nested, parts):
    return {"parts": {name: load() for name, load in parts().items()}, "nested": nested["one"]["a"]()}

def create_pipeline():
    return Pipeline([
        node(make, ["raw", "audited", "params:same", "params:given"],
             ["page", "bare", "parts", "wrapped", "own", "pieces"], name="make"),
        node(use, ["page", "bare", "parts", "events", "fetched", "wrapped", "own", "pieces"], "report",
             name="use", confirms="events"),
        node(lazy, "files", ["nested", "loaders"], name="lazy"),
        node(whole, ["nested", "loaders"], "whole", name="whole"),
    ])
"""
SETTINGS = """
from kedro.config import OmegaConfigLoader
from kedro.framework.hooks import hook_impl
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog

class Loader(OmegaConfigLoader):
    def __getitem__(self, key):
        if key in ("catalog", "parameters"):
            self.data.pop(key, None)  # Reads its files anew, whatever it was given.
        return super().__getitem__(key)
class Catalog(DataCatalog): pass

class Hooks:
    @hook_impl
    def after_context_created(self, context):
        assert isinstance(context.config_loader, Loader)
    @hook_impl
    def before_pipeline_run(self, run_params, catalog):
        assert isinstance(catalog, Catalog)
        print("given:", run_params["runtime_params"], catalog.load("params:given"))
        print("not asked:", *[run_params[k] for k in ("tags", "from_nodes", "to_outputs", "namespaces", "load_versions")])
        print("runner:", run_params["runner"])
    @hook_impl
    def after_catalog_created(self, catalog):
        catalog.save("audited", "by the hook")
        for name, dataset in catalog.items():
            assert name != "unrelated"
        assert len(catalog.values()) == len(catalog.items())
    @hook_impl
    def before_node_run(self, catalog):
        assert catalog.load("only the hook's") == "hook"
        assert "unrelated" in catalog

class Session(KedroSession):
    @classmethod
    def create(cls, *args, **kwargs):
        print("a session of the project's own")
        return super().create(*args, **kwargs)

HOOKS = (Hooks(),)
SESSION_CLASS = Session
CONFIG_LOADER_CLASS = Loader
DATA_CATALOG_CLASS = Catalog
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "audited": {"type": "MemoryDataset"},
    "only the hook's": {"type": "text.TextDataset", "filepath": "data/01_raw/hook.txt"},
    "unrelated": {"type": "no_such_library.NoDataset", "filepath": "x"},
    "no_credentials": {"type": "pandas.CSVDataset", "filepath": "s3://x", "credentials": "nobody has them"},
    "page": {"type": "demo.pipelines.main.Proud", "filepath": "data/08/own name.html"},
    "bare": {"type": "demo.pipelines.main.Bare", "filepath": "data/05/deep/bare.txt"},
    "fetched": {"type": "demo.pipelines.main.Fetched", "filepath": "data/09/brought.txt"},
    "parts": {
        "type": "partitions.IncrementalDataset",
        "path": "data/06/parts",
        "dataset": "json.JSONDataset",
        "filename_suffix": ".json",
    },
    "pieces": {"type": "demo.pipelines.main.Pieces", "filepath": "data/06/piece-*.txt"},
    "own": {"type": "demo.pipelines.main.Several", "filepath": "data/06/several"},
    "wrapped": {
        "type": "CachedDataset",
        "dataset": {"type": "partitions.IncrementalDataset", "path": "data/06/wrapped", "dataset": "json.JSONDataset"},
    },
    "events": {
        "type": "partitions.IncrementalDataset",
        "path": "data/01_raw/events",
        "dataset": "json.JSONDataset",
        "filename_suffix": ".json",
    },
    "files": {
        "type": "partitions.PartitionedDataset",
        "path": "data/01_raw/events",
        "dataset": "text.TextDataset",
        "filename_suffix": ".json",
    },
    "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
    "whole": {"type": "json.JSONDataset", "filepath": "data/08/whole.json"},
}
PARAMETERS = {"same": 1, "given": 1}
DATA = {
    "data/01_raw/raw.json": "1",
    "data/01_raw/hook.txt": "hook",
    "data/01_raw/events/a.json": "1",
    "data/01_raw/events/b.json": "2",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    return make_project(
        tmp_path_factory.mktemp("kedro"),
        pipelines=PIPELINE,
        catalog=CATALOG,
        parameters=PARAMETERS,
        settings=SETTINGS,
        data=DATA,
    )


@pytest.fixture(scope="module")
def steps(project: KedroProject) -> dict[str, dict[str, Any]]:
    done = project.run_once("--params", "same=1,given=2")
    logs = [f"{p}:\n{p.read_text()[-1500:]}" for p in project.path.glob(".kubeflow/runs/*/logs/*.log")]
    assert done.code == 0, done.text + "\n".join(logs)
    facts = done.facts
    return {step["step"]: step for step in facts["steps"]}


def made(steps: dict[str, dict[str, Any]], step: str, dataset: str) -> Path:
    return Path(steps[step]["outputs"][dataset])


def test_what_a_step_sees_is_what_kedro_run_sees(steps: dict[str, dict[str, Any]]) -> None:
    assert json.loads(made(steps, "use", "report").read_text()) == {
        "page": "<p>page</p>",
        "bare": "bare",
        "parts": [],
        "events": ["a", "b"],
    }


def test_a_page_is_the_artifact_itself_whatever_its_name(steps: dict[str, dict[str, Any]]) -> None:
    assert made(steps, "make", "page").read_text() == "<p>page</p>"


def test_loaders_of_partitions_are_made_whole(steps: dict[str, dict[str, Any]]) -> None:
    assert json.loads(made(steps, "whole", "whole").read_text()) == {"parts": {"a": "1", "b": "2"}, "nested": "1"}


def test_the_projects_own_session_class_is_used(steps: dict[str, dict[str, Any]]) -> None:
    assert "a session of the project's own" in Path(steps["make"]["log"]).read_text()


def test_a_parameter_that_is_given_as_it_stands_counts_as_not_given(steps: dict[str, dict[str, Any]]) -> None:
    assert "given: {'given': 2} 2" in Path(steps["make"]["log"]).read_text()


def test_hooks_are_given_every_parameter_also_those_that_no_node_of_the_step_uses(
    steps: dict[str, dict[str, Any]],
) -> None:
    for step in steps.values():
        assert "given: {'given': 2} 2" in Path(step["log"]).read_text()


def test_what_no_step_uses_and_nobody_gives_takes_up_no_room(project: KedroProject) -> None:
    """Of each parameter Argo keeps hundreds of bytes a task."""
    project.kubeflow("compile", "-o", "p.yaml", "--params", "given=2").ok()
    spec = next(yaml.safe_load_all((project.path / "p.yaml").read_text()))
    inputs = {name: [*c.get("inputDefinitions", {}).get("parameters", ())] for name, c in spec["components"].items()}
    both = ["given", "same"]
    assert inputs == {"comp-make": both, "comp-lazy": ["given"], "comp-use": ["given"], "comp-whole": ["given"]}


def test_hooks_are_told_what_kedro_run_tells_them_of_a_run(steps: dict[str, dict[str, Any]]) -> None:
    log = Path(steps["lazy"]["log"]).read_text()
    assert "not asked: () [] [] [] {}" in log
    assert "runner: <kedro.runner.sequential_runner.SequentialRunner object" in log


def test_a_checkpoint_that_is_lost_is_said(project: KedroProject) -> None:
    found = json.loads(project.kubeflow("check", "--output", "json").out)["findings"]
    [lost] = [finding for finding in found if finding["id"] == "checkpoint-lost"]
    assert "'use' confirms 'events', whose checkpoint is a file that is lost with the pod" in lost["what"]


CONFIRMING = """
from kedro.pipeline import Pipeline, node

def look(events): return sorted(events)
def confirm(seen): return seen
def make(): return {"1": 1, "2": 2}
def use(parts): return sorted(parts)

def create_pipeline():
    return Pipeline([
        node(look, "events", "seen", name="look"),
        node(confirm, "seen", "report", name="confirm", confirms="events", tags="group.late"),
        node(make, None, "parts", name="make"),
        node(use, "parts", "used", name="use", confirms="parts", tags="group.late"),
    ])
"""


@pytest.mark.parametrize(
    "run_config", [{}, {"grouping": {"by": "tag", "runner": "parallel"}}], ids=["steps", "processes"]
)
def test_what_is_confirmed_is_not_given_again(tmp_path: Path, run_config: dict[str, Any]) -> None:
    """Also by a node that does not read it; the next run begins there, be it Kedro's or one of steps."""
    mounted, kind = tmp_path / "mounted", {"type": "partitions.IncrementalDataset", "dataset": "json.JSONDataset"}
    catalog = {
        "events": {**kind, "path": str(mounted)},
        # Where Kedro wants a checkpoint that is a file: inside of the data's folder, which is another one in a pod.
        "parts": {**kind, "path": "data/06/parts", "checkpoint": {"filepath": "data/06/parts/seen.txt"}},
        "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
    }
    made = make_project(
        tmp_path / "project",
        pipelines=CONFIRMING,
        catalog=catalog,
        parameters={},
        kubeflow={"run_config": {"image": "x:1", **run_config}},
    )

    def report(run: bool) -> Any:
        if run:
            made.kedro("run").ok()
            return json.loads((made.path / "data/08/report.json").read_text())
        steps = made.run_once().ok().facts["steps"]
        [made_here] = [step["outputs"]["report"] for step in steps if "report" in step["outputs"]]
        return json.loads(Path(made_here).read_text())

    mounted.mkdir()
    for name, run in (("a", False), ("b", True), ("c", False)):
        (mounted / name).write_text("1")
        assert report(run) == [name], "nothing that an earlier run has confirmed"
        assert (mounted / "CHECKPOINT").read_text() == name


def test_what_is_given_needs_no_file_of_parameters(tmp_path: Path) -> None:
    """`kedro run --params` needs none; of an image without conf/local Kedro would say that there are no parameters."""
    made = make_project(tmp_path)
    (tmp_path / "conf/base/parameters.yml").unlink()
    made.kedro("run", "--params", "limit=3").ok()
    steps = made.run_once("--params", "limit=3").ok().facts["steps"]
    report = (tmp_path / "data/08_reporting/report.json").read_text()
    assert Path(steps[-1]["outputs"]["report"]).read_text() == report
