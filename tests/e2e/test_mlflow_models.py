"""Train in one step, evaluate in another, with kedro-mlflow's model dataset between them; and pipelines that are models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import MlflowServer
from kedro_project import KedroProject, make_project
from mlflow import MlflowClient
from mlflow.entities import Run

PIPELINE = """
import numpy as np
from kedro.pipeline import Pipeline, node
from sklearn.linear_model import LinearRegression

def train(raw):
    x = np.array(raw, dtype=float).reshape(-1, 1)
    return LinearRegression().fit(x, 2 * x[:, 0]), sum(raw)
def evaluate(model, total, limit): return {"prediction": round(float(model.predict([[10.0]])[0]), 3), "total": total}

def create_pipeline():
    return Pipeline([
        node(train, "raw", ["model", "total"], name="train", tags="early"),
        node(evaluate, ["model", "total", "params:limit"], "report", name="evaluate", tags="late"),
    ])
"""
REGISTRY = """
from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline, node
from kedro_mlflow.pipeline import pipeline_ml_factory

def register_pipelines():
    pipelines = find_pipelines(raise_errors=True)
    pipelines["__default__"] = pipelines["main"]
    learn = Pipeline([
        node(clean, "raw", "rows", name="clean", tags="inference"),
        node(fit, "rows", "line", name="fit"),
    ])
    predict = Pipeline([node(predict_with, ["line", "rows"], "predicted", name="predict")])
    pipelines["as_model"] = pipeline_ml_factory(
        training=learn, inference=learn.only_nodes_with_tags("inference") + predict, input_name="raw",
        log_model_kwargs={"name": "line", "pip_requirements": []},
    )
    return pipelines

def clean(raw): return [float(x) for x in raw]
def fit(rows): return sum(rows)
def predict_with(line, rows): return [line + x for x in rows]
"""
SETTINGS = """
import os
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog

class Catalog(DataCatalog): pass
DATA_CATALOG_CLASS = Catalog

def seen(*words):
    if os.environ.get("SEEN"):
        with open(os.environ["SEEN"], "a") as file:
            print(*words, file=file)

class Hooks:
    @hook_impl
    def after_context_created(self, context): self.env = context.env
    @hook_impl
    def after_catalog_created(self, catalog, parameters): self.limit = parameters["params:limit"]
    @hook_impl
    def before_pipeline_run(self, run_params, pipeline, catalog):
        if os.environ.get("SEEN"):
            import mlflow
            mlflow.set_tag("told_by", "a hook of the project")
        assert isinstance(catalog, Catalog)
        nodes = [node.name for node in pipeline.nodes]
        seen("before", self.env, self.limit, run_params["tags"], run_params["pipeline_names"], nodes, "report" in catalog)
    @hook_impl
    def before_node_run(self, node): seen("node", node.name)
    @hook_impl
    def after_pipeline_run(self, pipeline):
        if os.environ.get("SEEN"):
            import mlflow
            mlflow.log_metric("told_at_the_end", self.limit)
        seen("after")
    @hook_impl
    def on_pipeline_error(self, error): seen("error", error)

HOOKS = (Hooks(),)
"""
PLUGIN = """
from kedro.framework.hooks import hook_impl
from demo.settings import seen

class Plugin:
    @hook_impl
    def before_pipeline_run(self): seen("plugin: before")
    @hook_impl
    def after_node_run(self, node): seen("plugin: node", node.name)
    @hook_impl
    def after_pipeline_run(self): seen("plugin: after")

plugin = Plugin()
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "model": {
        "type": "kedro_mlflow.io.models.MlflowModelTrackingDataset",
        "flavor": "mlflow.sklearn",
        "save_args": {"name": "line", "pip_requirements": ["scikit-learn"], "serialization_format": "cloudpickle"},
    },
    "line": {"type": "pickle.PickleDataset", "filepath": "data/06/line.pkl"},
    "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, mlflow_server: MlflowServer) -> KedroProject:
    made = make_project(
        tmp_path_factory.mktemp("models"),
        pipelines=PIPELINE,
        catalog=CATALOG,
        parameters={"limit": 1},
        registry=REGISTRY,
        settings=SETTINGS,
        mlflow={
            "server": {"mlflow_tracking_uri": mlflow_server.uri},
            "tracking": {"experiment": {"name": "${runtime_params:experiment,models}"}},
        },
    )
    # As pip leaves an installed plugin.
    made.write("src/plugin.py", PLUGIN)
    made.write("src/plugin-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    made.write("src/plugin-1.0.dist-info/entry_points.txt", "[kedro.hooks]\nplugin = plugin:plugin\n")
    return made


def test_a_model_in_mlflow_crosses(project: KedroProject) -> None:
    done = project.run_once()
    assert done.code == 0, done.text
    steps = {s["step"]: s for s in done.facts["steps"]}
    assert json.loads(Path(steps["evaluate"]["outputs"]["report"]).read_text()) == {"prediction": 20.0, "total": 15}


def test_a_pipeline_that_is_a_model_must_be_one_step(project: KedroProject) -> None:
    for command in (["compile", "-o", "-"], ["plan"]):
        done = project.kubeflow(*command, "-p", "as_model").failed(2)
        assert "no model would be logged" in done.err
        assert "grouping: all" in done.err


def test_in_one_step_its_model_is_logged(project: KedroProject, mlflow_server: MlflowServer) -> None:
    project.conf("kubeflow", {"run_config": {"image": "x:1", "grouping": "all"}}, env="whole")
    words = ("-p", "as_model", "-e", "whole")
    told = project.kubeflow("check", *words, "--output", "json").out
    found = json.loads(told[told.index("{\n") :])["findings"]
    assert "pipeline-ml" not in {finding["id"] for finding in found}
    done = project.run_once(*words, "--params", "experiment=as_model")
    assert done.code == 0, done.text
    [run] = runs_of(mlflow_server, "as_model")
    [model] = MlflowClient(mlflow_server.uri).search_logged_models([run.info.experiment_id])
    assert (run.info.status, model.name, model.source_run_id) == ("FINISHED", "line", run.info.run_id)
    load = f"import mlflow; mlflow.set_tracking_uri({mlflow_server.uri!r}); m = mlflow.pyfunc.load_model({model.model_uri!r})"
    predicted = project.python("-c", f"{load}; print(m.predict([1, 2]))", env={"PYTHONPATH": "src"}).ok().out
    assert "[15.0]" in predicted, "MLflow makes a table of a list, with one column, 0"


def test_hooks_hear_of_the_run_once(project: KedroProject, mlflow_server: MlflowServer, tmp_path: Path) -> None:
    project.conf("kubeflow", {"run_config": {"hooks": "per_run"}}, env="once")
    seen = tmp_path / "seen"
    words = ("-e", "once", "--params", "limit=7,experiment=hooks")
    done = project.run_once(*words, "--tags", "early,late", env={"SEEN": str(seen)})
    assert done.code == 0, done.text
    assert seen.read_text().splitlines() == [
        "plugin: before",
        "before once 7 ('early', 'late') ['__default__'] ['train', 'evaluate'] True",
        "node train",
        "plugin: node train",
        "node evaluate",
        "plugin: node evaluate",
        "plugin: after",
        "after",
    ]
    [run] = runs_of(mlflow_server, "hooks")
    assert (run.info.status, run.data.tags["told_by"]) == ("FINISHED", "a hook of the project")
    assert run.data.metrics["told_at_the_end"] == 7
    # As kedro-mlflow writes them.
    assert run.data.tags["tags"] == "('early', 'late')"
    assert run.data.tags["kedro_command"] == "kedro run --pipelines=__default__ --env=once --tags=early,late"
    project.write("data/01_raw/raw.json", '"no numbers"')
    assert project.run_once(*words, env={"SEEN": str(seen)}).code == 1
    project.write("data/01_raw/raw.json", "[1, 2, 3, 4, 5]")
    assert (
        seen.read_text().splitlines()[-1].startswith("error The run has failed: train: ValueError: could not convert")
    )
    assert [r.info.status for r in runs_of(mlflow_server, "hooks")] == ["FAILED", "FINISHED"]


def runs_of(server: MlflowServer, experiment: str) -> list[Run]:
    """The newest first."""
    client = MlflowClient(server.uri)
    found = client.get_experiment_by_name(experiment)
    assert found is not None, experiment
    return list(client.search_runs([found.experiment_id]))


def test_hooks_once_a_run_need_tasks_for_it(project: KedroProject) -> None:
    project.conf("kubeflow", {"run_config": {"hooks": "per_run", "mlflow": {"enabled": False}}}, env="without")
    done = project.kubeflow("compile", "-o", "-", "-e", "without").failed(2)
    assert "`hooks: per_run` needs the start task and the exit task" in done.err
