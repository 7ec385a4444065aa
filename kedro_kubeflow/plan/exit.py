"""What the project asks for at the end of a run, whatever became of it: the exit pipeline and notifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kedro_kubeflow.config.environment import SecretKey
from kedro_kubeflow.config.exit import NotificationConfig
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.contract import NOTIFY_ENV, OLD_OUTCOME_PARAMETERS, OUTCOME_KEYS, OUTCOME_PARAMETER
from kedro_kubeflow.errors import CompileError, ConfigError, did_you_mean
from kedro_kubeflow.plan.aliases import file_options
from kedro_kubeflow.plan.grouping import Group
from kedro_kubeflow.plan.handoff import Handoff
from kedro_kubeflow.plan.inputs import pipeline_inputs
from kedro_kubeflow.plan.nodes import NodeFacts, base_name, is_parameter, node_facts
from kedro_kubeflow.plan.slicing import check_inputs
from kedro_kubeflow.plan.steps import Step, steps_of
from kedro_kubeflow.project.facts import Parameters


@dataclass(frozen=True, kw_only=True)
class AtExit:
    """What is done at the end of a run, whatever became of it, beside closing the MLflow run.

    Attributes:
        step: the exit pipeline, as one step; None where there is none.
        options: of the exit task's call.
    """

    step: Step | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExitPipeline:
    """The project's exit pipeline.

    Attributes:
        entries: the catalog entry of each of its datasets.
        tracked: whether it logs to the run's MLflow run.
    """

    name: str
    nodes: Sequence[NodeFacts]
    entries: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    tracked: bool = False

    @property
    def datasets(self) -> list[str]:
        """What its nodes read and write, parameters left out."""
        return [d for node in self.nodes for d in (*node.inputs, *node.outputs) if not is_parameter(d)]

    def parameters(self, known: Mapping[str, Any]) -> frozenset[str]:
        """The top-level parameters of the project that its nodes use; what it is told of the run is none of them."""
        given = {name for node in self.nodes for name in node.inputs if is_parameter(name)}
        used = {name.removeprefix("params:") for name in given}
        return frozenset(
            key
            for key in known
            if key != OUTCOME_PARAMETER
            and ("parameters" in given or any(name == key or name.startswith(f"{key}.") for name in used))
        )

    def outcome_parameters(self, known: Mapping[str, Any]) -> list[str]:
        """The parameters that say what became of the run: ours, and the old ones that its nodes ask for."""
        asked = {name.removeprefix("params:") for node in self.nodes for name in node.inputs}
        return [OUTCOME_PARAMETER, *(name for name in OLD_OUTCOME_PARAMETERS if name in asked and name not in known)]


def exit_nodes(name: str, registered: Mapping[str, Any]) -> list[NodeFacts]:
    """The exit pipeline's nodes.

    Raises:
        ConfigError: there is no such pipeline, or it is empty.
    """
    if name not in registered or not registered[name].nodes:
        what = "has no nodes" if name in registered else f"is none of the project's. {did_you_mean(name, registered)}"
        raise ConfigError(f"The exit pipeline {name!r} {what}", where="kubeflow.yml, run_config.on_exit_pipeline")
    return node_facts(registered[name], registered)


def exit_of(
    config: KubeflowConfig,
    pipeline: ExitPipeline | None,
    steps: Sequence[Step],
    handoffs: Mapping[str, Handoff],
    parameters: Parameters,
    registered: Mapping[str, Any],
) -> AtExit | None:
    """What the exit task does beside closing the MLflow run; None where nothing is asked for.

    Args:
        steps: the run's own.
        handoffs: how the exit pipeline's datasets travel.
        parameters: the project's.

    Raises:
        CompileError: the exit pipeline needs what only the run's own steps have.
    """
    run = config.run_config
    if not pipeline and not run.notifications:
        return None
    options: dict[str, Any] = {"ui_host": config.shown_at} if config.shown_at else {}
    if run.notifications:
        options["notifications"] = [
            {"type": n.type, "when": list(n.when), "url_env": _url_env(i, n)} for i, n in enumerate(run.notifications)
        ]
    if not pipeline:
        return AtExit(options=options)
    step = _exit_step(pipeline, handoffs, parameters)
    if step.volume and run.volume and run.volume.keep:
        raise CompileError(
            f"The exit pipeline {pipeline.name!r} uses the run's volume, and with `keep` that is a claim which a task of the run "
            "makes: Kubeflow Pipelines tells an exit task nothing of what tasks have made, and it could not start",
            where="kubeflow.yml, run_config.volume.keep and run_config.on_exit_pipeline",
            cure="do without `keep`, keep the exit pipeline's data in an object store or a database, or mount a claim that "
            "exists by `extra_volumes`",
        )
    _check_reachable(step, steps, handoffs)
    check_inputs(pipeline.nodes, pipeline.entries, registered)
    return AtExit(step=step, options={**options, **_call_options(pipeline, parameters.values)})


def _call_options(pipeline: ExitPipeline, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "exit_pipeline": pipeline.name,
        "exit_tracking": pipeline.tracked,
        "exit_told": pipeline.outcome_parameters(values),
        **file_options(pipeline.nodes),
    }


def notification_secrets(notifications: Sequence[NotificationConfig]) -> dict[str, SecretKey]:
    """The variables by which the exit task gets addresses that stand in secrets."""
    return {
        _url_env(i, n): SecretKey(secret=n.url_secret.name, key=n.url_secret.key)
        for i, n in enumerate(notifications)
        if n.url_secret
    }


def _url_env(index: int, notification: NotificationConfig) -> str:
    return notification.url_env or f"{NOTIFY_ENV}{index}"


def _exit_step(pipeline: ExitPipeline, handoffs: Mapping[str, Handoff], parameters: Parameters) -> Step:
    """The exit pipeline as one step; what it is told of the run is no parameter of the project."""
    outcome: dict[str, Any] = {OUTCOME_PARAMETER: dict.fromkeys(OUTCOME_KEYS)}
    known = replace(parameters, values={**dict.fromkeys(OLD_OUTCOME_PARAMETERS), **parameters.values, **outcome})
    inputs, _ = pipeline_inputs(pipeline.nodes, known)
    group = Group(pipeline.name, tuple(node.name for node in pipeline.nodes))
    return steps_of(pipeline.name, pipeline.nodes, [group], handoffs, inputs, known)[0]


def _check_reachable(step: Step, steps: Sequence[Step], handoffs: Mapping[str, Handoff]) -> None:
    made = {base_name(d): s.display_name for s in steps for node in s.nodes for d in node.outputs}
    inside = {base_name(d) for node in step.nodes for d in node.outputs}
    for node in step.nodes:
        for dataset in node.inputs:
            name = base_name(dataset)
            if is_parameter(dataset) or name in inside or name not in made:
                continue
            kind = handoffs[dataset].kind
            if kind in ("memory", "file"):
                raise CompileError(
                    f"The exit pipeline's node {node.name!r} reads {name!r}, which the step {made[name]!r} makes and which "
                    "crosses as an artifact: Kubeflow Pipelines hands an exit task nothing that steps have made",
                    where="kubeflow.yml, run_config.on_exit_pipeline",
                    cure="keep the dataset in an object store or a database, or on the run's `volume` (without `keep`)",
                )
