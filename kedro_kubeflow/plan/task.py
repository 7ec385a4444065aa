"""A task of the pipeline, in the compiler's own words: one container, what goes in and what comes out.

The frame's tasks (start, mark success, end) and the steps are the same kind of thing; ``spec`` turns any of them into
KFP's three messages: component (interface), task (place in the graph), executor (how it runs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kedro_kubeflow.config.retry import RetryPolicyConfig
from kedro_kubeflow.contract import StepCall

JOB_ID = "{{$.pipeline_job_uuid}}"
JOB_NAME = "{{$.pipeline_job_name}}"
WORKSPACE = "{{$.workspace_path}}"


@dataclass(frozen=True)
class Constant:
    """A parameter whose value stands in the spec; one of KFP's whole-string placeholders, or a plain value."""

    value: Any


@dataclass(frozen=True)
class FromInput:
    """A parameter that is an input of the pipeline."""

    name: str


@dataclass(frozen=True)
class FromTask:
    """A parameter that another task put out."""

    task: str
    key: str


@dataclass(frozen=True)
class FinalStatus:
    """KFP's ``PipelineTaskFinalStatus`` of a task, for exit tasks only."""

    task: str


Source: TypeAlias = Constant | FromInput | FromTask | FinalStatus


@dataclass(frozen=True)
class Parameter:
    """A task's input parameter: its KFP type and where the value comes from."""

    kfp_type: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Task:
    """One container task.

    Attributes:
        name: KFP task name; the component is ``comp-NAME``, the executor ``exec-NAME``.
        title: what people see.
        call: what its pod is told; None for the tasks that KFP's backend does itself.
        parameters: by KFP name.
        artifacts: input artifacts by KFP name: type, producing task, its output's name.
        outputs: output artifacts by KFP name: type.
        puts_out: names of its output parameters, all strings.
        after: tasks to wait for.
        cache: whether KFP may answer from its cache.
        at_exit: whether it runs whatever became of the tasks that it waits for.
    """

    name: str
    title: str
    call: StepCall | None
    image: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    artifacts: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    puts_out: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    cache: bool = False
    at_exit: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    """The JSON of KFP's ``ResourceSpec``."""
    retry: RetryPolicyConfig | None = None
    platform: Mapping[str, Any] = field(default_factory=dict)
    """Kubernetes settings: the JSON of KFP's ``KubernetesExecutorConfig``."""
