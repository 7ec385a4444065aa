"""How large the run will be as Argo keeps it, and how many steps fit.

Argo keeps a run in one object, its ``Workflow``, which may have 1 MiB: the spec, and the status, compressed once it is large
(https://argo-workflows.readthedocs.io/en/latest/offloading-large-workflows/). What KFP puts into it of each task is in
kubeflow/pipelines ``backend/src/v2/compiler/argocompiler`` and ``…/driver``: the spec has the component, the container, the task
and the Kubernetes config once; the status has a driver's node and an executor's DAG and node, each with the node that
tries it again. So most bytes are there nine times. The constants are of real workflows of Kubeflow Pipelines 2.17.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kedro_kubeflow.config.model import Model
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.plan.task import Constant, FinalStatus, FromInput, FromTask, ParameterSource, Task

LIMIT, ROOM = 2**20, 0.9
"""What Argo takes as a workflow, in bytes (``MAX_WORKFLOW_SIZE`` of its controller); and the part that ``auto`` fills."""

# Bytes that a task takes whatever stands in it, and how often its name stands there too: in the spec (hashes of its arguments,
# two tasks of Argo's DAG), in the node of a driver, in a node of the executor; and in the patch of a pod, the launcher's call.
_SPEC, _SPEC_NAMES = 1_100, 11
_DRIVER, _DRIVER_NAMES = 1_315, 3
_EXECUTOR, _EXECUTOR_NAMES = 670, 1.5
_PATCH, _PATCH_FIELD = 650, 110
# What surrounds the tasks: templates, and the nodes of the root and the group.
_FIXED_SPEC, _FIXED_STATUS = 14_000, 26_000
_COMPRESSED = 0.0765
"""Of the status' bytes, what is left when it is compressed and written in base64."""
_COPIES = 8
"""How often a container's arguments stand in the status; each is compressed by itself, as the copies lie far apart."""
# Where an artifact lies, and how the launcher reaches it, as KFP's driver says it of a stock server.
_WHERE = "minio://mlpipeline/v2/artifacts/{pipeline}/{run}/{task}/{run}/{name}"
_RUN = "0" * 36
_SESSION = (
    '{"Provider":"minio","Params":{"accessKeyKey":"accesskey","disableSSL":"true","endpoint":"seaweedfs.kubeflow:9000",'
    '"fromEnv":"false","maxRetries":"5","region":"minio","secretKeyKey":"secretkey","secretName":"mlpipeline-minio-artifact"}}'
)
_LOGS = "executor-logs"


@dataclass(frozen=True)
class TaskBytes:
    """What a task takes, in bytes.

    Attributes:
        spec: in the workflow's spec.
        status: in its status, when the task has ended.
        compressed: the same, compressed.
    """

    spec: int
    status: int
    compressed: int

    @property
    def kept(self) -> int:
        """What counts against the limit."""
        return self.spec + self.compressed


@dataclass(frozen=True)
class WorkflowSize:
    """A run as Argo keeps it at its end, in bytes.

    Attributes:
        tasks: how many there are, the plugin's own with them.
        spec: the workflow's spec.
        status: its status, as it is read.
        compressed: its status, as it is kept once the whole is over the limit.
        limit: what the server takes.
    """

    tasks: int
    spec: int
    status: int
    compressed: int
    limit: int | None = LIMIT

    @property
    def total(self) -> int:
        """What counts against the limit."""
        return self.spec + min(self.status, self.compressed)

    @property
    def fits(self) -> bool:
        """Whether the run can get to its end."""
        return self.limit is None or self.total <= self.limit

    @property
    def has_room(self) -> bool:
        """Whether it can get to its end though the estimate is some way off, as it was by up to a tenth."""
        return self.limit is None or self.total <= self.limit * ROOM

    @property
    def steps_that_fit(self) -> int:
        """About how many tasks like these fit where Argo's own limit holds, or the one that is told."""
        fixed = _FIXED_SPEC + int(_FIXED_STATUS * _COMPRESSED)
        each = max((self.total - fixed) / max(self.tasks, 1), 1.0)
        return int(((self.limit or LIMIT) - fixed) / each)

    @property
    def states_are_told(self) -> bool:
        """Whether KFP's API tells each task's state to the end: it no longer does once the status is compressed."""
        return self.spec + self.status <= (self.limit or LIMIT)

    @property
    def steps_that_are_told(self) -> int:
        """About how many tasks like these have their states told to the end."""
        fixed = _FIXED_SPEC + _FIXED_STATUS
        each = max((self.spec + self.status - fixed) / max(self.tasks, 1), 1.0)
        return int(((self.limit or LIMIT) - fixed) / each)


def limit_of(configured: int | Literal["offload"] | None) -> int | None:
    """What the server takes, in bytes, by ``run_config.workflow_limit``; None where it takes everything."""
    return None if configured == "offload" else configured or LIMIT


def workflow_size(
    tasks: Sequence[Task], pipeline: str, values: Mapping[str, Any], *, limit: int | None = LIMIT
) -> WorkflowSize:
    """Estimate.

    Args:
        tasks: every task of the plan.
        pipeline: the KFP pipeline's name, which stands in every artifact's address.
        values: of the pipeline's inputs, by KFP name.
        limit: what the server takes (``run_config.workflow_limit``); None where it takes everything.
    """
    each = [task_bytes(task, pipeline, values) for task in tasks]
    return WorkflowSize(
        tasks=len(each),
        spec=_FIXED_SPEC + sum(one.spec for one in each),
        status=_FIXED_STATUS + sum(one.status for one in each),
        compressed=int(_FIXED_STATUS * _COMPRESSED) + sum(one.compressed for one in each),
        limit=limit,
    )


def task_bytes(task: Task, pipeline: str, values: Mapping[str, Any]) -> TaskBytes:
    """What one task takes."""
    texts = (
        component_of(task),
        task_of(task),
        container_of(task),
        kubernetes_of(task),
        executor_input_of(task, pipeline, values),
    )
    return bytes_of(task.name, *texts, pod_fields=len(task.pod_fields))


def bytes_of(
    name: str, component: str, task: str, container: str, kubernetes: str, executor_input: str, *, pod_fields: int = 0
) -> TaskBytes:
    """What a task takes whose five messages are these, as JSON.

    Args:
        pod_fields: how many environment variables are filled from fields of the pod.
    """
    patch = container + json.dumps(component, ensure_ascii=False) + json.dumps(executor_input, ensure_ascii=False)
    patched = _PATCH + _PATCH_FIELD * pod_fields + _quoted(patch)
    inputs = sum(map(_quoted, (component, task, container, kubernetes)))
    letters = len(name)
    spec = _SPEC + _SPEC_NAMES * letters + inputs + _quoted(task)
    driver = _DRIVER + _DRIVER_NAMES * letters + inputs + patched
    executor = int(_EXECUTOR + _EXECUTOR_NAMES * letters) + patched
    # The group's task stands in the nodes of the group's driver too.
    status = 2 * driver + 4 * executor + 2 * _quoted(task)
    return TaskBytes(spec, status, int(_COMPRESSED * status) + _not_compressible(container))


def _not_compressible(container: str) -> int:
    """What arguments take that are long and do not shrink, such as an archive in base64."""
    if len(container) < 4_000:
        return 0
    left = len(zlib.compress(container.encode(), 1)) * 4 / 3
    return max(int(_COPIES * (left - _COMPRESSED * len(container))), 0)


def component_of(task: Task) -> str:
    """The component's JSON: what goes in and out."""
    parameters = {name: {"parameterType": p.kfp_type} for name, p in task.parameters.items()}
    artifacts = {name: _artifact_type(a.type) for name, a in task.artifacts.items()}
    outputs = {name: _artifact_type(kind) for name, kind in task.outputs.items()}
    put_out = {key: {"parameterType": "STRING"} for key in task.output_parameters}
    return _json(
        {
            "executorLabel": f"exec-{task.name}",
            "inputDefinitions": {"artifacts": artifacts, "parameters": parameters},
            "outputDefinitions": {"artifacts": outputs, "parameters": put_out},
        }
    )


def task_of(task: Task) -> str:
    """The task's JSON: where it stands in the graph."""
    artifacts = {
        name: {"taskOutputArtifact": {"outputArtifactKey": a.key, "producerTask": a.producer}}
        for name, a in task.artifacts.items()
    }
    parameters = {name: _source(parameter.source) for name, parameter in task.parameters.items()}
    return _json(
        {
            "cachingOptions": {"enableCache": True} if task.cache else {},
            "componentRef": {"name": f"comp-{task.name}"},
            "dependentTasks": sorted(task.upstream),
            "inputs": {"artifacts": artifacts, "parameters": parameters},
            "taskInfo": {"name": task.display_name},
        }
    )


def _source(source: ParameterSource) -> dict[str, Any]:
    match source:
        case FromInput(name):
            return {"componentInputParameter": name}
        case FromTask(producer, key):
            return {"taskOutputParameter": {"outputParameterKey": key, "producerTask": producer}}
        case Constant(value):
            return {"runtimeValue": {"constant": value}}
        case FinalStatus(producer):
            return {"taskFinalStatus": {"producerTask": producer}}


def container_of(task: Task) -> str:
    """The container's JSON: image, command, arguments, variables, resources."""
    argv = task.call.to_argv() if task.call else []
    message: dict[str, Any] = {"args": argv[4:], "command": argv[:4], "image": task.image}
    if task.settings:
        literals = {name: value for name, value in task.settings.env.items() if isinstance(value, str)}
        message["env"] = [{"name": name, "value": value} for name, value in literals.items()]
        given = {name: value for name, value in asdict(task.settings.resources).items() if value}
        # Each amount stands there twice, for older servers too.
        message["resources"] = [given, given] if given else {}
    return _json(message)


_ON_PODS = (
    *("image_pull_secrets", "timeout", "node_selector", "tolerations", "affinity", "pod_labels", "pod_annotations"),
    *("security_context", "extra_volumes"),
)


def kubernetes_of(task: Task) -> str:
    """About as long as the Kubernetes config's JSON; empty where nothing is asked."""
    given = task.settings or StepSettings()
    asked: dict[str, Any] = {name: value for name in _ON_PODS if (value := _plain(getattr(given, name)))}
    asked |= {name: _plain(value) for name, value in given.env.items() if not isinstance(value, str)}
    asked |= {name: {"fieldPath": path, "envVar": name} for name, path in task.pod_fields.items()}
    if task.mount:
        asked["pvcMount"] = 3 * [task.mount.path + task.mount.name.task]
    return _json(asked) if asked else ""


def executor_input_of(task: Task, pipeline: str, values: Mapping[str, Any]) -> str:
    """What KFP's driver makes of the task's inputs and outputs, as JSON."""

    def where(made_by: str, name: str) -> str:
        return _WHERE.format(pipeline=pipeline, run=_RUN, task=made_by, name=name)

    given = {
        name: {
            "name": "10",
            "type": {"instanceSchema": ""},
            "uri": where(a.producer, a.key),
            "metadata": {"display_name": name, "store_session_info": _SESSION},
        }
        for name, a in task.artifacts.items()
    }
    made = {
        name: {"name": name, "type": _artifact_type(kind)["artifactType"], "uri": where(task.name, name)}
        for name, kind in {**task.outputs, _LOGS: "Artifact"}.items()
    }
    given_values = {
        name: values.get(p.source.name) if isinstance(p.source, FromInput) else _RUN
        for name, p in task.parameters.items()
    }
    inputs = {"artifacts": {name: {"artifacts": [one]} for name, one in given.items()}, "parameterValues": given_values}
    outputs = {"artifacts": {name: {"artifacts": [one]} for name, one in made.items()}}
    return _json({"inputs": inputs, "outputs": {**outputs, "outputFile": where(task.name, "output_metadata.json")}})


def _artifact_type(kind: str) -> dict[str, Any]:
    return {"artifactType": {"schemaTitle": f"system.{kind}"}}


def _json(value: Mapping[str, Any]) -> str:
    """Compact, without what is empty, as protobuf writes messages."""
    return json.dumps(_without_empty(value), separators=(",", ":"), ensure_ascii=False)


def _without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    parts = {key: _without_empty(part) if isinstance(part, dict) and part else part for key, part in value.items()}
    return {key: part for key, part in parts.items() if part not in ({}, [], "", ())}


def _quoted(text: str) -> int:
    """Bytes of a text inside a JSON string."""
    return len(text.encode()) + text.count('"') + text.count("\\")


def _plain(value: Any) -> Any:
    """Models as what they say; nothing where they say nothing."""
    if isinstance(value, Model):
        return value.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
