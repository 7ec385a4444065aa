"""A task of the pipeline: one container, what goes in, what comes out, and what it is given.

The plugin's own tasks (start, mark success, end) and the steps are the same kind of thing; the compiler turns any of them into
KFP's three messages: component (interface), task (place in the graph), executor (how it runs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.contract import StepCall

JOB_ID = "{{$.pipeline_job_uuid}}"
JOB_NAME = "{{$.pipeline_job_name}}"
# What KFP calls the output of every importer.
IMPORTED = "artifact"
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


ParameterSource: TypeAlias = Constant | FromInput | FromTask | FinalStatus


@dataclass(frozen=True)
class Parameter:
    """A task's input parameter: its KFP type and where the value comes from."""

    kfp_type: str
    source: ParameterSource


@dataclass(frozen=True)
class InputArtifact:
    """An input artifact: its type, the task that makes it, and what that task calls it."""

    type: str
    producer: str
    key: str


@dataclass(frozen=True, kw_only=True)
class ClaimMount:
    """A claim that another task of the pipeline makes, mounted.

    Attributes:
        path: where, in the container.
        name: the output in which that task puts the claim's name.
    """

    path: str
    name: FromTask


@dataclass(frozen=True, kw_only=True)
class Task:
    """One container task.

    Attributes:
        name: KFP task name.
        display_name: what people see.
        call: what its pod is told; None for the tasks that KFP's backend does itself.
        parameters: by KFP name.
        artifacts: input artifacts by KFP name.
        outputs: output artifacts by KFP name: type.
        output_parameters: names of its output parameters, all strings.
        after: tasks to wait for.
        cache: whether KFP may answer from its cache.
        at_exit: whether it runs whatever became of the tasks that it waits for.
        settings: what kubeflow.yml gives it; None where nothing of it applies.
        pod_fields: environment variable → the field of the pod that it is filled from.
        mount: the run's volume, where it is a claim.
        imports: the URI of the artifact that KFP's backend makes known here, as its one output ``artifact``; no pod of ours.
        run_as: the user id that it runs as, unless its settings say another.
        as_root: whether it runs as root, whatever its settings say.
    """

    name: str
    display_name: str
    call: StepCall | None
    image: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    artifacts: Mapping[str, InputArtifact] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    output_parameters: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    cache: bool = False
    at_exit: bool = False
    settings: StepSettings | None = None
    pod_fields: Mapping[str, str] = field(default_factory=dict)
    mount: ClaimMount | None = None
    imports: str = ""
    run_as: int | None = None
    as_root: bool = False

    @classmethod
    def importer(cls, name: str, *, uri: str, kind: str) -> Task:
        """A task that makes an artifact known that is there already
        (https://www.kubeflow.org/docs/components/pipelines/user-guides/components/importer-component/).

        Its display name is its name: KFP 2.17 records an importer under the one, and looks for it by the other.
        """
        return cls(
            name=name,
            display_name=name,
            call=None,
            image="",
            imports=uri,
            parameters={"uri": Parameter("STRING", Constant(uri))},
            outputs={IMPORTED: kind},
        )

    @property
    def upstream(self) -> frozenset[str]:
        """Every task that it waits for."""
        makers = {artifact.producer for artifact in self.artifacts.values()}
        tellers = {p.source.task for p in self.parameters.values() if isinstance(p.source, FromTask)}
        return frozenset(makers | tellers | set(self.after))
