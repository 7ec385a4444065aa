"""The volume, the cache and the exit task, held against what kfp itself writes for them, and kept as golden files."""

# No `from __future__ import annotations` here: kfp.dsl reads the annotations themselves.

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from golden_file import check_golden
from google.protobuf import json_format
from kfp import compiler, components, dsl, kubernetes
from kfp.dsl import container_component_class, structures
from kfp.kubernetes import kubernetes_executor_config_pb2 as platform_pb
from kfp.pipeline_spec import pipeline_spec_pb2
from plans import plan_of

from kedro_kubeflow.compiler import CompiledPipeline, compile_plan
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.plan.cache import cache_key, is_mutable
from kedro_kubeflow.plan.grouping import NodeFacts

NODES = [
    NodeFacts("prepare", ("raw", "params:lr"), ("rows",)),
    NodeFacts("train", ("rows",), ("model",)),
    NodeFacts("score", ("model", "rows"), ("score",)),
]
AT_EXIT = [NodeFacts("tell", ("params:kubeflow_run", "params:team"), ("told",))]
CATALOG: dict[str, Any] = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/raw.json"},
    "rows": {"type": "json.JSONDataset", "filepath": "data/rows.json"},
    "model": {"type": "pickle.PickleDataset", "filepath": "data/model.pkl"},
    "score": {"type": "json.JSONDataset", "filepath": "s3://b/score.json"},
    "told": {"type": "json.JSONDataset", "filepath": "data/told.json"},
}
PARAMETERS = {"lr": 0.5, "team": "red"}


def compiled(config: Mapping[str, Any], *, tracking: bool = False) -> CompiledPipeline:
    plan = plan_of(NODES, CATALOG, config, parameters=PARAMETERS, tracking=tracking, others={"bye": AT_EXIT})
    return compile_plan(plan)


class ByHand:
    """The components of a compiled pipeline, as kfp.dsl components with the same containers."""

    def __init__(self, ours: CompiledPipeline) -> None:
        self.spec = ours.pipeline_spec

    def task(self, name: str, title: str | None = None, **arguments: Any) -> Any:
        container = self.spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
        given = self.spec["components"][f"comp-{name}"]
        inputs, outputs = given.get("inputDefinitions", {}), given.get("outputDefinitions", {})
        component = container_component_class.ContainerComponent(
            structures.ComponentSpec(
                name=name,
                implementation=structures.Implementation(
                    container=structures.ContainerSpecImplementation(
                        image=container["image"], command=container["command"], args=container["args"]
                    )
                ),
                inputs={
                    **{n: structures.InputSpec(type=_type(a)) for n, a in inputs.get("artifacts", {}).items()},
                    **{n: _parameter(p) for n, p in inputs.get("parameters", {}).items()},
                },
                outputs={n: structures.OutputSpec(type=_type(a)) for n, a in outputs.get("artifacts", {}).items()},
            ),
            None,
        )
        task = component(**arguments)
        task.set_caching_options(False)
        task.set_display_name(title or name)
        return task


def _type(artifact: Any) -> str:
    return f"{artifact['artifactType']['schemaTitle']}@0.0.1"


def _parameter(given: Any) -> structures.InputSpec:
    kinds = {"STRING": "String", "NUMBER_DOUBLE": "Float", "TASK_FINAL_STATUS": "PipelineTaskFinalStatus"}
    return structures.InputSpec(type=kinds[given["parameterType"]], optional=bool(given.get("isOptional")))


def kfps_own(pipeline: Any, tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    target = tmp_path / "by_hand.yaml"
    compiler.Compiler().compile(pipeline, str(target))
    spec, platform = [*yaml.safe_load_all(target.read_text()), {}][:2]
    return spec, platform


def normal(spec: Any) -> dict[str, Any]:
    text = yaml.safe_dump(dict(spec)).replace("pipelinechannel--", "")
    # What is the default anyway is not written here, nor the one version that types have.
    plain: dict[str, Any] = yaml.safe_load(re.sub(r" *(cachingOptions: \{\}|schemaVersion: 0\.0\.1)\n", "", text))
    for parameter in plain["root"].get("inputDefinitions", {}).get("parameters", {}).values():
        parameter.pop("description", None)
    return plain


def test_the_volume_is_the_pipeline_workspace(tmp_path: Path) -> None:
    ours = compiled({"volume": {"size": "5Gi", "access_modes": ["ReadWriteMany"], "storageclass": "nfs"}})
    by = ByHand(ours)
    workspace = dsl.WorkspaceConfig(
        size="5Gi",
        kubernetes=dsl.KubernetesWorkspaceConfig(
            pvcSpecPatch={"accessModes": ["ReadWriteMany"], "storageClassName": "nfs"}
        ),
    )

    @dsl.pipeline(name="demo", display_name="Demo", pipeline_config=dsl.PipelineConfig(workspace=workspace))
    def pipeline(lr: float = 0.5) -> None:
        where = {"workspace-path": dsl.WORKSPACE_PATH_PLACEHOLDER}
        fill = by.task("fill-volume", **where)
        prepare = by.task("prepare", lr=lr, **where).after(fill)
        train = by.task("train", **where).after(prepare)
        by.task("score", **where).after(prepare, train)

    spec, platform = kfps_own(pipeline, tmp_path)
    assert normal(ours.pipeline_spec) == normal(spec)
    assert dict(ours.platform_spec) == platform


def test_a_volume_that_is_kept_is_kfps_own_claim(tmp_path: Path) -> None:
    ours = compiled({"volume": {"keep": True, "storageclass": "nfs", "skip_init": True}})
    by = ByHand(ours)

    @dsl.pipeline(name="demo", display_name="Demo")
    def pipeline(lr: float = 0.5) -> None:
        made = kubernetes.CreatePVC(
            access_modes=["ReadWriteOnce"], pvc_name_suffix="-kedro", size="1Gi", storage_class_name="nfs"
        )
        made.set_caching_options(False)
        where = {"workspace-path": "/kedro-volume"}
        prepare = by.task("prepare", lr=lr, **where)
        train = by.task("train", **where).after(prepare)
        score = by.task("score", **where).after(prepare, train)
        for task in (prepare, train, score):
            kubernetes.mount_pvc(task, made.outputs["name"], "/kedro-volume")

    spec, platform = kfps_own(pipeline, tmp_path)
    renamed = yaml.safe_load(yaml.safe_dump([spec, platform]).replace("createpvc", "create-volume"))
    renamed = yaml.safe_load(yaml.safe_dump(renamed).replace("argostub/create-volume", "argostub/createpvc"))
    theirs, their_platform = normal(renamed[0]), renamed[1]
    own = normal(ours.pipeline_spec)
    inputs = [p["components"]["comp-create-volume"].pop("inputDefinitions")["parameters"] for p in (own, theirs)]
    assert {n: p["parameterType"] for n, p in inputs[0].items()}.items() <= {
        n: p["parameterType"] for n, p in inputs[1].items()
    }.items()
    assert own == theirs
    assert messages(ours.platform_spec) == messages(their_platform)


def messages(platform: Any) -> dict[str, Any]:
    found = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {name: json_format.ParseDict(e, platform_pb.KubernetesExecutorConfig()) for name, e in found.items()}


def test_the_exit_task_without_mlflow(tmp_path: Path) -> None:
    ours = compiled({"on_exit_pipeline": "bye"})
    by = ByHand(ours)

    @dsl.pipeline(name="demo", display_name="Demo")
    def pipeline(lr: float = 0.5, team: str = "red") -> None:
        end = by.task("on-exit-pipeline", team=team, **{"kubeflow-run-id": dsl.PIPELINE_JOB_ID_PLACEHOLDER})
        with dsl.ExitHandler(end, name="kedro"):
            prepare = by.task("prepare", lr=lr)
            train = by.task("train", rows=prepare.outputs["rows"])
            by.task("score", model=train.outputs["model"], rows=prepare.outputs["rows"])

    spec, platform = kfps_own(pipeline, tmp_path)
    assert normal(ours.pipeline_spec) == normal(spec)
    assert dict(ours.platform_spec) == platform


WEBHOOK = {"type": "webhook", "url_env": "HOOK_URL"}
CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "volume": ({"volume": {"owner": 1000}}, False),
    "volume_filled_by_root": (
        {
            "volume": {"owner": 1000, "fill_as_root": True},
            "security_context": {"__default__": {"run_as_group": 50, "run_as_non_root": True}},
        },
        False,
    ),
    "volume_with_mlflow": ({"volume": {}}, True),
    "volume_kept": ({"volume": {"keep": True, "storageclass": "nfs"}}, True),
    "cache": ({"cache": True, "env": {"__default__": {"LEVEL": "1"}}}, False),
    "cache_with_mlflow": ({"cache": {"prepare": True}}, True),
    "cache_at_the_end": ({"cache": True, "notifications": [WEBHOOK]}, False),
    "exit_pipeline": ({"on_exit_pipeline": "bye"}, False),
    "exit_pipeline_with_mlflow": ({"on_exit_pipeline": "bye", "mlflow": {"close_run": "last_task"}}, True),
    "exit_pipeline_on_the_volume": ({"on_exit_pipeline": "bye", "volume": {}}, False),
    "notifications": ({"notifications": [WEBHOOK]}, False),
    "dynamic_config_providers": ({"dynamic_config_providers": [{"cls": "demo.Tokens", "params": {"a": 1}}]}, True),
}


@pytest.mark.parametrize("name", CASES)
def test_golden_and_kfps_own_loader(name: str) -> None:
    config, tracking = CASES[name]
    ours = compiled(config, tracking=tracking)
    check_golden(f"settings/{name}.yaml", ours.text)
    assert components.load_component_from_text(ours.text).name == "demo"
    json_format.ParseDict(next(yaml.safe_load_all(ours.text)), pipeline_spec_pb2.PipelineSpec())


def group_tasks(ours: CompiledPipeline) -> dict[str, Any]:
    return dict(ours.pipeline_spec["components"]["comp-exit-handler-1"]["dag"]["tasks"])


def test_a_step_is_given_nothing_that_changes_from_run_to_run() -> None:
    tasks = group_tasks(compiled({"cache": {"prepare": True}}, tracking=True))
    assert tasks["prepare"]["cachingOptions"] == {"enableCache": True}
    assert set(tasks["prepare"]["inputs"]["parameters"]) == {"lr"}
    assert tasks["prepare"]["dependentTasks"] == ["mlflow-start-run"]
    assert "parameters" not in tasks["train"]["inputs"]
    assert tasks["train"]["dependentTasks"] == ["prepare"], "it waits for the start task by way of that one"
    assert "cachingOptions" not in tasks["train"]
    flat = compiled({"cache": True, "mlflow": {"close_run": "last_task"}}, tracking=True)
    assert flat.pipeline_spec["root"]["dag"]["tasks"]["prepare"]["dependentTasks"] == ["mlflow-start-run"]


def test_the_key_takes_in_variables_and_parameters_that_stay_behind() -> None:
    def args(config: Mapping[str, Any]) -> str:
        executors = compiled({"cache": True, **config}).pipeline_spec["deploymentSpec"]["executors"]
        return str(executors["exec-train"]["container"]["args"])

    plain = args({})
    assert plain == args({"resources": {"__default__": {"cpu": 2}}}), "a larger pod computes the same"
    assert plain != args({"env": {"__default__": {"A": "1"}}})
    settings = StepSettings()
    assert cache_key(settings, {"a": 1}) != cache_key(settings, {"a": 2})
    secret = replace(settings, env={"A": "x"})
    assert cache_key(settings, {}) != cache_key(secret, {})


def test_fully_cached_runs_end_with_a_task_of_their_own() -> None:
    ours = compiled({"cache": True, "notifications": [WEBHOOK]})
    assert group_tasks(ours)["run-succeeded"]["dependentTasks"] == ["score"]
    assert "run-succeeded" not in compiled({"notifications": [WEBHOOK]}).text


def test_only_steps_that_use_the_volume_have_it() -> None:
    nodes = [*NODES, NodeFacts("remote", ("score",), ("other",))]
    catalog = {**CATALOG, "other": {"type": "x", "filepath": "s3://b/o"}}
    plan = plan_of(nodes, catalog, {"volume": {}}, parameters=PARAMETERS)
    assert [step.volume for step in plan.steps] == [True, True, True, False]
    assert [step.after for step in plan.steps] == [(), ("prepare",), ("prepare", "train"), ("score",)]
    assert all(not step.inputs for step in plan.steps)


@pytest.mark.parametrize(
    ("image", "mutable"),
    [
        ("demo", True),
        ("demo:latest", True),
        ("registry:5000/team/demo", True),
        ("registry:5000/team/demo:latest", True),
        ("demo:2026-01", False),
        ("demo@sha256:abc", False),
    ],
)
def test_which_images_may_change_under_their_tag(image: str, mutable: bool) -> None:
    assert is_mutable(image) is mutable
