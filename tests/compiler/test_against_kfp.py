"""Independent truth: what kfp's own compiler makes of the same pipeline, written by hand with kfp.dsl."""

# No `from __future__ import annotations` here: kfp.dsl reads the annotations themselves.

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp import compiler, components, dsl, kubernetes
from kfp.dsl import container_component_class, structures
from kfp.dsl.types import type_utils
from kfp.pipeline_spec import pipeline_spec_pb2
from plans import plan_of

from kedro_kubeflow.compiler import CompiledPipeline, compile_plan
from kedro_kubeflow.compiler.spec import plain_value
from kedro_kubeflow.plan.grouping import NodeFacts

NODES = [
    NodeFacts("prepare", ("raw", "params:lr"), ("rows", "remote")),
    NodeFacts("train", ("rows", "remote", "params:options"), ("model", "score")),
    NodeFacts("report", ("model",), ("page",)),
]
CATALOG = {
    "raw": {"type": "pandas.CSVDataset", "filepath": "raw.csv"},
    "remote": {"type": "pandas.CSVDataset", "filepath": "s3://b/x.csv"},
    "model": {"type": "tensorflow.TensorFlowModelDataset", "filepath": "m"},
    "score": {"type": "json.JSONDataset", "filepath": "s.json", "metadata": {"kubeflow": "Metrics"}},
    "page": {"type": "text.TextDataset", "filepath": "p.html"},
}
OPTIONS = {"a": 3.0, "b": {"c": [1, "x"]}}


def compiled(*, tracking: bool, close_run: str = "exit_handler") -> CompiledPipeline:
    config = {
        "description": "what it does",
        "image_pull_policy": "Always",
        "mlflow": {"close_run": close_run},
    }
    return compile_plan(plan_of(NODES, CATALOG, config, parameters={"lr": 0.5, "options": OPTIONS}, tracking=tracking))


class ByHand:
    """The components of a compiled pipeline, as kfp.dsl components with the same containers."""

    def __init__(self, ours: CompiledPipeline) -> None:
        self.spec = dict(ours.pipeline_spec)
        self.tracking = "comp-mlflow-start-run" in self.spec["components"]

    def component(self, name: str) -> Any:
        container = self.spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
        given = self.spec["components"][f"comp-{name}"]
        inputs, outputs = given.get("inputDefinitions", {}), given.get("outputDefinitions", {})
        return container_component_class.ContainerComponent(
            structures.ComponentSpec(
                name=name,
                implementation=structures.Implementation(
                    container=structures.ContainerSpecImplementation(
                        image=container["image"], command=container["command"], args=container["args"]
                    )
                ),
                inputs={
                    **{n: _artifact(structures.InputSpec, a) for n, a in inputs.get("artifacts", {}).items()},
                    **{n: _parameter(structures.InputSpec, p) for n, p in inputs.get("parameters", {}).items()},
                },
                outputs={
                    **{n: _artifact(structures.OutputSpec, a) for n, a in outputs.get("artifacts", {}).items()},
                    **{n: _parameter(structures.OutputSpec, p) for n, p in outputs.get("parameters", {}).items()},
                },
            ),
            None,
        )

    def task(self, name: str, title: str | None = None, **arguments: Any) -> Any:
        task = self.component(name)(**arguments)
        task.set_caching_options(False)
        task.set_display_name(title or name)
        kubernetes.set_image_pull_policy(task, "Always")
        outputs = self.spec["components"][f"comp-{name}"].get("outputDefinitions", {})
        if self.tracking and "artifacts" not in outputs:
            # Others find the run's id where their outputs go.
            kubernetes.use_field_path_as_env(task, "KEDRO_KUBEFLOW_RUN_ID", "metadata.labels['pipeline/runid']")
        return task


def _artifact(kind: Any, given: Any) -> Any:
    title = given["artifactType"]["schemaTitle"]
    return kind(type=type_utils.create_bundled_artifact_type(title, "0.0.1"))


def _parameter(kind: Any, given: Any) -> Any:
    names = {
        "STRING": "String",
        "NUMBER_DOUBLE": "Float",
        "STRUCT": "Dict",
        "TASK_FINAL_STATUS": "PipelineTaskFinalStatus",
    }
    options = {"optional": True} if given.get("isOptional") else {}
    return kind(type=names[given["parameterType"]], **options)


def kfps_own(pipeline: Any, tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    target = tmp_path / "by_hand.yaml"
    compiler.Compiler().compile(pipeline, str(target))
    spec, platform = yaml.safe_load_all(target.read_text())
    return spec, platform


def normal(spec: Any) -> dict[str, Any]:
    """A spec without what is free: descriptions of inputs, and the names under which a sub-DAG receives its inputs."""
    text = yaml.safe_dump(dict(spec))
    # What is the default anyway is not written here, nor the one version that types have.
    plain: dict[str, Any] = yaml.safe_load(
        re.sub(r" *(cachingOptions: \{\}|schemaVersion: 0\.0\.1)\n", "", text.replace("pipelinechannel--", ""))
    )
    for parameter in plain["root"].get("inputDefinitions", {}).get("parameters", {}).values():
        parameter.pop("description", None)
    return plain


def test_without_tracking(tmp_path: Path) -> None:
    ours = compiled(tracking=False)
    by = ByHand(ours)

    @dsl.pipeline(name="demo", display_name="Demo", description="what it does")
    def pipeline(lr: float = 0.5, options: dict = OPTIONS) -> None:  # type: ignore[type-arg]
        prepare = by.task("prepare", lr=lr)
        train = by.task("train", rows=prepare.outputs["rows"], options=options)
        train.after(prepare)
        by.task("report", model=train.outputs["model"])

    spec, platform = kfps_own(pipeline, tmp_path)
    assert normal(ours.pipeline_spec) == normal(spec)
    assert dict(ours.platform_spec) == platform


def test_with_the_exit_handler(tmp_path: Path) -> None:
    ours = compiled(tracking=True)
    by = ByHand(ours)
    job_id, job_name = dsl.PIPELINE_JOB_ID_PLACEHOLDER, dsl.PIPELINE_JOB_NAME_PLACEHOLDER

    @dsl.pipeline(name="demo", display_name="Demo", description="what it does")
    def pipeline(lr: float = 0.5, options: dict = OPTIONS) -> None:  # type: ignore[type-arg]
        end = by.task("mlflow-end-run", **{"kubeflow-run-id": job_id})
        with dsl.ExitHandler(end, name="kedro"):
            start = by.task("mlflow-start-run", **{"kubeflow-run-id": job_id, "kubeflow-run-name": job_name})
            prepare = by.task("prepare", lr=lr).after(start)
            train = by.task("train", rows=prepare.outputs["rows"], options=options)
            train.after(prepare)
            by.task("report", model=train.outputs["model"])

    spec, platform = kfps_own(pipeline, tmp_path)
    assert normal(ours.pipeline_spec) == normal(spec)
    assert dict(ours.platform_spec) == platform


def test_with_a_last_task(tmp_path: Path) -> None:
    ours = compiled(tracking=True, close_run="last_task")
    by = ByHand(ours)
    job_id, job_name = dsl.PIPELINE_JOB_ID_PLACEHOLDER, dsl.PIPELINE_JOB_NAME_PLACEHOLDER

    @dsl.pipeline(name="demo", display_name="Demo", description="what it does")
    def pipeline(lr: float = 0.5, options: dict = OPTIONS) -> None:  # type: ignore[type-arg]
        start = by.task("mlflow-start-run", **{"kubeflow-run-id": job_id, "kubeflow-run-name": job_name})
        prepare = by.task("prepare", lr=lr).after(start)
        train = by.task("train", rows=prepare.outputs["rows"], options=options)
        train.after(prepare)
        report = by.task("report", model=train.outputs["model"])
        by.task("mlflow-mark-success", **{"mlflow-run-id": start.outputs["run_id"]}).after(report)

    spec, _ = kfps_own(pipeline, tmp_path)
    assert normal(ours.pipeline_spec) == normal(spec)


@pytest.mark.parametrize("close_run", ["exit_handler", "last_task"])
@pytest.mark.parametrize("tracking", [True, False])
def test_kfps_own_loader_takes_it_and_no_field_is_unknown(tracking: bool, close_run: str) -> None:
    ours = compiled(tracking=tracking, close_run=close_run)
    loaded = components.load_component_from_text(ours.text)
    assert loaded.name == "demo"
    first = next(yaml.safe_load_all(ours.text))
    message = json_format.ParseDict(first, pipeline_spec_pb2.PipelineSpec())
    # As protobuf itself writes it, but for the deployment: the numbers of that stand as they are.
    written = json_format.MessageToDict(message)
    assert {**first, "deploymentSpec": written["deploymentSpec"]} == written
    assert plain_value(OPTIONS) == written["root"]["inputDefinitions"]["parameters"]["options"]["defaultValue"]


def test_the_same_input_gives_the_same_bytes() -> None:
    assert compiled(tracking=True).text == compiled(tracking=True).text
    assert compiled(tracking=True).digest != compiled(tracking=False).digest


def test_no_two_containers_are_alike() -> None:
    executors = compiled(tracking=True).pipeline_spec["deploymentSpec"]["executors"]
    containers = [yaml.safe_dump(e["container"]) for e in executors.values()]
    assert len(set(containers)) == len(containers)
