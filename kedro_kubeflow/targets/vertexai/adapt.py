"""What differs on Vertex AI Pipelines, all of it: the pipeline as compiled for Kubeflow → the pipeline for Vertex AI.

Vertex AI runs the same IR (https://cloud.google.com/vertex-ai/docs/pipelines/introduction). It has no Kubernetes that anybody
could see: whatever the platform spec asks for is either dropped because it holds there anyway, said in Vertex AI's own
way, or refused.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from kedro_kubeflow.compiler.package import CompiledPipeline
from kedro_kubeflow.compiler.spec import SCHEMA_VERSION
from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.contract import JOB_ID_INPUT, JOB_NAME_INPUT, MODULE, RUN_ID_ENV, StepCall, runtime_arguments
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.plan.task import JOB_ID, JOB_NAME

ACCELERATOR_LABEL = "cloud.google.com/gke-accelerator"
_BUCKET = (
    "Cloud Storage is mounted at /gcs in every step, and files cross from step to step as artifacts without a volume"
)

# Kubernetes setting of KFP's executor config → the setting of run_config behind it, and Vertex AI's own way.
_REFUSED = {
    "imagePullSecret": (
        "image_pull_secrets",
        "images come from Artifact Registry, as Vertex AI's own service agent: grant it roles/artifactregistry.reader",
    ),
    "tolerations": ("tolerations", "there are no cluster nodes to choose: the machine follows from `resources`"),
    "nodeAffinity": ("affinity", "there are no cluster nodes to choose: the machine follows from `resources`"),
    "podMetadata": ("pod_labels, pod_annotations", "a run has labels as a whole: `vertexai.labels`"),
    "securityContext": ("security_context", "a step runs as the image's own USER"),
    "activeDeadlineSeconds": ("timeout", "a step has no time limit there; the step's own code may set itself one"),
    "secretAsEnv": (
        "env, from a secret",
        "there are no Kubernetes secrets: the step reads Secret Manager as `vertexai.service_account`",
    ),
    "configMapAsEnv": ("env, from a config map", "there are no config maps: give the value itself"),
    "fieldPathAsEnv": ("env, from a field of the pod", "there are no pods to ask: give the value itself"),
    "secretAsVolume": (
        "extra_volumes (secret)",
        "there are no Kubernetes secrets: the step reads Secret Manager as `vertexai.service_account`",
    ),
    "configMapAsVolume": ("extra_volumes (config map)", "there are no config maps: put the file into the image"),
    "pvcMount": ("volume, extra_volumes (claim)", _BUCKET),
    "emptyDirMounts": (
        "extra_volumes (empty dir)",
        "a step has a disk of its own: any folder of the container will do",
    ),
    "genericEphemeralVolume": (
        "extra_volumes (ephemeral)",
        "a step has a disk of its own: any folder of the container will do",
    ),
}
_REFUSED_RUN = {
    "resourceTtlOnCompletion": ("ttl", "a job stays until somebody deletes it; a bucket may have a lifecycle rule"),
    "resourceTtlOnSuccess": ("ttl", "a job stays until somebody deletes it; a bucket may have a lifecycle rule"),
    "resourceTtlOnFailure": ("ttl", "a job stays until somebody deletes it; a bucket may have a lifecycle rule"),
    "activeDeadlineSeconds": ("deadline", "a run has no time limit there; cancel it"),
    "workspace": ("volume", _BUCKET),
}


def for_vertex(compiled: CompiledPipeline, config: VertexAIConfig) -> CompiledPipeline:
    """The pipeline as Vertex AI Pipelines takes it.

    Args:
        compiled: the pipeline as Kubeflow takes it.

    Raises:
        ConfigError: it asks for something that only Kubernetes has; the message names every such setting, with Vertex AI's
            own way.
    """
    titles = dict(_titles(compiled.pipeline_spec))
    platform = (compiled.platform_spec.get("platforms") or {}).get("kubernetes") or {}
    executors = (platform.get("deploymentSpec") or {}).get("executors") or {}
    _refuse(platform, executors, titles)
    spec = copy.deepcopy(dict(compiled.pipeline_spec))
    for label, executor in spec["deploymentSpec"]["executors"].items():
        if "container" not in executor:
            # Vertex AI imports artifacts by itself, as Kubeflow does.
            continue
        labels = (executors.get(label, {}).get("nodeSelector") or {}).get("labels") or {}
        _settle(executor["container"], config, labels.get(ACCELERATOR_LABEL), titles.get(label, label))
    _give_job(spec)
    _give_versions(spec)
    spec["defaultPipelineRoot"] = config.root
    return replace(compiled, pipeline_spec=spec, platform_spec={})


def _titles(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Executor label → what people call the task."""
    components = spec.get("components") or {}
    for dag in _dags(spec):
        for name, task in dag["tasks"].items():
            label = (components.get(task["componentRef"]["name"]) or {}).get("executorLabel")
            if label:
                yield label, (task.get("taskInfo") or {}).get("name") or name


def _dags(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for component in (spec["root"], *(spec.get("components") or {}).values()):
        if "dag" in component:
            yield component["dag"]


def _refuse(platform: Mapping[str, Any], executors: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    found: dict[str, tuple[str, list[str]]] = {}
    for key in platform.get("pipelineConfig") or {}:
        setting, way = _REFUSED_RUN.get(key, (key, "it is a setting of Kubernetes"))
        found[setting] = (way, [])
    for label, executor in executors.items():
        for setting, way in _refused(executor):
            found.setdefault(setting, (way, []))[1].append(titles.get(label, label))
    if found:
        lines = [f"  {setting}{_steps(steps)}: {way}" for setting, (way, steps) in found.items()]
        raise ConfigError(
            "\n".join(["Vertex AI Pipelines does not have what these settings ask Kubernetes for:", *lines]),
            where="kubeflow.yml, run_config",
            cure="take them out, or keep them for Kubeflow in an environment of its own (conf/<env>/kubeflow.yml)",
        )


def _refused(executor: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in executor.items():
        if key == "imagePullPolicy":
            if value == "Never":
                yield "image_pull_policy", "the image is pulled for every step: Always and IfNotPresent both hold"
        elif key == "nodeSelector":
            if set(value.get("labels") or {}) - {ACCELERATOR_LABEL}:
                yield (
                    "node_selector",
                    f"the machine follows from `resources`; only {ACCELERATOR_LABEL} means something there",
                )
        elif key != "fieldPathAsEnv" or any(entry["name"] != RUN_ID_ENV for entry in value):
            yield _REFUSED.get(key, (key, "it is a setting of Kubernetes"))


def _steps(titles: Iterable[str]) -> str:
    named = list(dict.fromkeys(titles))
    shown = ", ".join(repr(title) for title in named[:3]) + (", …" if len(named) > 3 else "")
    return f" ({shown})" if named else ""


def _settle(container: dict[str, Any], config: VertexAIConfig, accelerator: str | None, title: str) -> None:
    """The container as Vertex AI starts it."""
    resources = _resources(container.pop("resources", {}), accelerator, title)
    if resources:
        container["resources"] = resources
    env = {entry["name"]: entry["value"] for entry in container.get("env") or ()}
    # As kedro-vertexai set them.
    env = {"GCP_PROJECT_ID": config.project_id, "GCP_REGION": config.region, **env}
    container["env"] = [{"name": name, "value": value} for name, value in sorted(env.items())]
    if MODULE in container.get("command", ()):
        _tell(container, config)


def _resources(given: Mapping[str, Any], accelerator: str | None, title: str) -> dict[str, Any]:
    """Vertex AI chooses the machine by limits; a request alone is taken for one.

    https://cloud.google.com/vertex-ai/docs/pipelines/machine-types
    """
    found: dict[str, Any] = {}
    for name in ("cpu", "memory"):
        amount = given.get(f"{name}Limit", given.get(f"{name}Request"))
        if amount is not None:
            found[f"{name}Limit"] = amount
    asked = given.get("accelerator") or {}
    if asked or accelerator:
        found["accelerator"] = {
            "type": _accelerator(str(asked.get("type", "nvidia.com/gpu")), accelerator, title),
            "count": str(asked.get("count", "1")),
        }
    return found


def _accelerator(kind: str, label: str | None, title: str) -> str:
    """An accelerator by Vertex AI's name, such as ``NVIDIA_TESLA_T4``; GKE's label means the same in lower case."""
    name = (label or "").upper().replace("-", "_") if kind == "nvidia.com/gpu" else kind
    if re.fullmatch(r"(NVIDIA|TPU)_[A-Z0-9_]+", name):
        return name
    raise ConfigError(
        f"The step {title!r} asks for an accelerator {label or kind!r}, and Vertex AI must know which one it is",
        where="kubeflow.yml, run_config.resources",
        cure="write `accelerators: {NVIDIA_TESLA_T4: 1}`, or another of Vertex AI's names: "
        "https://cloud.google.com/vertex-ai/docs/reference/rest/v1/MachineSpec#AcceleratorType",
    )


def _tell(container: dict[str, Any], config: VertexAIConfig) -> None:
    """What the runtime is told beside what it is told on Kubeflow."""
    call, _ = StepCall.from_argv(runtime_arguments([*container["command"], *container.get("args", ())]))
    settings = {key: value for key, value in call.settings.items() if key != "ui_host"}
    if config.network.host_aliases:
        settings["host_aliases"] = [[str(alias.ip), *alias.hostnames] for alias in config.network.host_aliases]
    if call.action == "start":
        settings["run_url"] = config.job_link("{job}")
    argv, cut = replace(call, settings=settings).to_argv(), len(container["command"])
    container["command"], container["args"] = argv[:cut], argv[cut:]


def _give_versions(spec: Mapping[str, Any]) -> None:
    """Say of each artifact type which version of it is meant, which Kubeflow does not ask for."""
    for component in (spec["root"], *(spec.get("components") or {}).values()):
        for side in ("inputDefinitions", "outputDefinitions"):
            for artifact in (component.get(side, {}).get("artifacts") or {}).values():
                artifact["artifactType"].setdefault("schemaVersion", SCHEMA_VERSION)


def _give_job(spec: Mapping[str, Any]) -> None:
    """Tell every step which job it is of; not one that may be cached, as no two jobs would share its result then."""
    given = {JOB_ID_INPUT: JOB_ID, JOB_NAME_INPUT: JOB_NAME}
    executors = spec["deploymentSpec"]["executors"]
    for dag in _dags(spec):
        for task in dag["tasks"].values():
            component = spec["components"][task["componentRef"]["name"]]
            if "dag" in component or (task.get("cachingOptions") or {}).get("enableCache"):
                continue
            if "container" not in executors[component["executorLabel"]]:
                continue
            for name, placeholder in given.items():
                declared = component.setdefault("inputDefinitions", {}).setdefault("parameters", {})
                declared.setdefault(name, {"parameterType": "STRING"})
                inputs = task.setdefault("inputs", {}).setdefault("parameters", {})
                inputs.setdefault(name, {"runtimeValue": {"constant": placeholder}})
