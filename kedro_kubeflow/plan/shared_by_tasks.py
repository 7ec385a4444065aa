"""Make what the tasks of one pipeline have in common: their call, their image, their settings, what the MLflow run is told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.entries import MEMORY_DATASET
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.plan.defaults import Defaults, exit_task_of
from kedro_kubeflow.plan.exit import exit_of
from kedro_kubeflow.plan.grouping_rule import GroupingRule
from kedro_kubeflow.plan.inputs import PipelineInput, keys_needed
from kedro_kubeflow.plan.scope import Scope
from kedro_kubeflow.plan.selection import DEFAULT
from kedro_kubeflow.plan.settings import cache_keys, settings_of
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.project.facts import Facts
from kedro_kubeflow.project.resolvers import unmarked
from kedro_kubeflow.request import Request


def defaults_of(
    facts: Facts,
    config: KubeflowConfig,
    request: Request,
    scope: Scope,
    inputs: list[PipelineInput],
    steps: Sequence[Step],
    rule: GroupingRule,
    shown: str,
) -> Defaults:
    """What the tasks have in common, their settings with it."""
    run = config.run_config
    at_exit = exit_of(config, scope.exit_pipeline, steps, scope.handoffs, facts.parameters, facts.pipelines)
    settings = settings_of(
        run,
        steps,
        facts.pipelines,
        image=request.image,
        at_exit=at_exit,
        exit_task=exit_task_of(scope.tracking, run.mlflow.close_run, at_exit),
        rule=rule,
    )
    for step in steps_of_the_run(facts, scope, steps):
        settings[step.display_name] = replace(settings[step.display_name], cache=False)
    image = _image(request, config)
    start = _start_options(config, shown, image) if scope.tracking else {}
    start |= {"kedro_command": _kedro_command(facts, scope), **_part(scope)} if scope.tracking else {}
    # Without kedro-mlflow a step knows the experiment from nowhere else.
    known = {"experiment": start["experiment"]} if scope.tracking and not facts.mlflow.installed else {}
    return Defaults(
        call=_common_call(facts, run, scope),
        image=image,
        tracking=scope.tracking,
        close_run=run.mlflow.close_run,
        mark_success=run.mlflow.mark_success,
        logged=_logged(run, steps, scope),
        start_options=start,
        step_options={**_memory_options(run), **_runner_options(run, scope), **known},
        inputs=inputs,
        shared=[i.name for i in inputs if i.encoding.key in facts.parameters.shared or run.hooks == "per_run"],
        settings=settings,
        cache_keys=cache_keys(steps, settings, _known_values(facts)),
        at_exit=at_exit,
        volume=run.volume,
    )


def _logged(run: RunConfig, steps: Sequence[Step], scope: Scope) -> frozenset[str]:
    """The steps with an artifact that holds the metrics that they log to MLflow."""
    how = run.mlflow.metrics_artifact
    written = {step.name: [dataset for node in step.nodes for dataset in node.outputs] for step in steps}
    return frozenset(
        name
        for name, datasets in written.items()
        if how == "all" or (how == "auto" and any(scope.handoffs[d].artifact_type == "Metrics" for d in datasets))
    )


def steps_of_the_run(facts: Facts, scope: Scope, steps: Sequence[Step]) -> Iterator[Step]:
    """The steps that a resolver gives something when they run, such as the date: a result of another run is not theirs."""
    for step in steps:
        used = {d for node in step.nodes for d in (*node.datasets, *node.outputs)}
        if used & scope.resolved or facts.parameters.resolved.keys() & keys_needed(step.nodes, facts.parameters):
            yield step


def _known_values(facts: Facts) -> dict[str, Any]:
    """The parameters' values; what is worked out in the pod has none here that a result could depend on."""
    known = facts.parameters
    values = {**known.values, **{key: unmarked(known.known.get(key)) for key in known.resolved}}
    return {str(key): value for key, value in values.items()}


def _common_call(facts: Facts, run: RunConfig, scope: Scope) -> StepCall:
    """What every call has in common."""
    several = scope.selection.pipelines if len(scope.selection.pipelines) > 1 else ()
    providers = [p.model_dump() for p in run.dynamic_config_providers]
    return StepCall(
        action="run",
        step="",
        pipeline=scope.selection.pipeline,
        pipelines=several,
        env=facts.project.said_env,
        package=facts.project.package if run.packaged else None,
        conf_source=run.conf_source,
        settings={
            **({"dynamic_config": providers} if providers else {}),
            **({"mlflow": "off"} if run.mlflow.enabled is False else {}),
            **_hooks(run, scope),
        },
    )


def _hooks(run: RunConfig, scope: Scope) -> dict[str, Any]:
    """When hooks hear of the run, and what they are told that it is.

    Raises:
        ConfigError: they are to hear once of a run that has no tasks for it.
    """
    if run.hooks == "per_step":
        return {}
    if not scope.tracking or run.mlflow.close_run != "exit_handler":
        raise ConfigError(
            "`hooks: per_run` needs the start task and the exit task, which a pipeline has with an MLflow run",
            where="kubeflow.yml, run_config.hooks",
            cure="use MLflow (with `close_run: exit_handler`), or let the hooks hear it in every step: `per_step`",
        )
    return {"hooks": run.hooks, **_part(scope)}


def _part(scope: Scope) -> dict[str, Any]:
    """What was selected of the pipelines, by condition."""
    chosen = {key: list(names) for key, names in asdict(scope.selection.part).items() if names}
    return {"part": chosen} if chosen else {}


def _memory_options(run: RunConfig) -> dict[str, Any]:
    """What stores data in memory, where that is not what the runtime takes by itself."""
    given = dict(run.memory_dataset)
    return {} if given == MEMORY_DATASET else {"memory_dataset": given}


def _runner_options(run: RunConfig, scope: Scope) -> dict[str, Any]:
    """Which of Kedro's runners runs the nodes of a step.

    Raises:
        ConfigError: the one that is chosen cannot work together with MLflow.
    """
    grouping = run.grouping
    if grouping.runner == "sequential":
        return {}
    if grouping.runner == "parallel" and scope.tracking:
        raise ConfigError(
            "The parallel runner cannot log to the step's MLflow run: its processes start without it",
            where="kubeflow.yml, run_config.grouping.runner",
            cure="choose `thread`, or switch tracking off for this pipeline (mlflow.yml, tracking.disable_tracking)",
        )
    workers = {"max_workers": grouping.max_workers} if grouping.max_workers else {}
    return {"runner": grouping.runner, **workers}


def _image(request: Request, config: KubeflowConfig) -> str:
    run = config.run_config
    image = request.image or run.images.get(DEFAULT) or run.image or request.default_image
    if not image:
        raise ConfigError(
            "No image is configured",
            where="kubeflow.yml, run_config.image",
            cure="set it there, or give it with -i/--image",
        )
    return image


def _start_options(config: KubeflowConfig, shown: str, image: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "experiment": config.run_config.experiment_name or shown,
        "image": image,
        "kfp_native": config.run_config.mlflow.kfp_native,
    }
    return options | ({"ui_host": config.shown_at} if config.shown_at else {})


def _kedro_command(facts: Facts, scope: Scope) -> str:
    """The command by which `kedro run` would run the same."""
    chosen, env = scope.selection, facts.project.asked_env
    words = [f"--pipelines={','.join(chosen.pipelines)}", *([f"--env={env}"] if env else []), *chosen.part.words()]
    return " ".join(["kedro run", *map(shlex.quote, words)])
