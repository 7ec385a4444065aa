"""Make a plan: a project's facts and configuration → all that is decided, from the nodes that run to each task's settings."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.entries import MEMORY_DATASET
from kedro_kubeflow.errors import ConfigError, CycleError
from kedro_kubeflow.parameters import VERTEX_JOB
from kedro_kubeflow.plan import plugin_tasks
from kedro_kubeflow.plan.datasets import datasets_of
from kedro_kubeflow.plan.defaults import Defaults, exit_task_of
from kedro_kubeflow.plan.estimate import Grouped
from kedro_kubeflow.plan.exit import exit_of
from kedro_kubeflow.plan.grouping import Group
from kedro_kubeflow.plan.grouping_rule import GroupingRule
from kedro_kubeflow.plan.inputs import PipelineInput, keys_needed, pipeline_inputs
from kedro_kubeflow.plan.local_values import told_of_local
from kedro_kubeflow.plan.nodes import node_facts
from kedro_kubeflow.plan.plan import Plan
from kedro_kubeflow.plan.resume import Resumed, recorded, resume_options, resumed
from kedro_kubeflow.plan.said_of_values import from_conf_local, readable_secrets, unknown_parameters
from kedro_kubeflow.plan.scope import Scope, scope_of
from kedro_kubeflow.plan.selection import DEFAULT
from kedro_kubeflow.plan.settings import cache_keys, cache_warnings, fits_of, plain_text_warnings, settings_of
from kedro_kubeflow.plan.slicing import check_inputs
from kedro_kubeflow.plan.step_tasks import step_task, with_mlflow_run
from kedro_kubeflow.plan.steps import Step, free_inputs, steps_of
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.plan.travelling_code import at_exit_with_code, code_warnings, with_code
from kedro_kubeflow.plan.volume import mounted, volume_tasks, with_volume
from kedro_kubeflow.plan.workflow import ROOM, limit_of
from kedro_kubeflow.project.facts import Facts
from kedro_kubeflow.project.mlflow_plugin import is_folder, unknown_scheme
from kedro_kubeflow.project.partial import is_known
from kedro_kubeflow.project.resolvers import unmarked
from kedro_kubeflow.project.typed_parameters import with_types
from kedro_kubeflow.request import EarlierRun, Request

_log = logging.getLogger(__name__)


def make_plan(facts: Facts, config: KubeflowConfig, request: Request, scope: Scope | None = None) -> Plan:
    """Decide. A function of plain values: nothing is read, written or asked.

    Args:
        facts: what the project says of itself.
        config: its kubeflow.yml.
        request: what is asked for.
        scope: which nodes run, where that is known already.

    Raises:
        ProjectError: a pipeline or a node is not there, or nothing is left.
        ParameterError: a node uses a parameter that is not there, or an override cannot travel.
        ConfigError: settings of kubeflow.yml contradict each other or the project.
        CompileError: the pipeline cannot become a KFP pipeline.
    """
    scope = scope or scope_of(facts, config, request)
    check_inputs(scope.nodes, scope.entries, facts.pipelines)
    models = with_types(_validated(facts, scope), {k: v for k, v in facts.parameters.values.items() if is_known(v)})
    facts = replace(facts, parameters=replace(facts.parameters, models=models))
    macros = VERTEX_JOB if facts.target == "vertexai" else None
    inputs, in_conf = pipeline_inputs(
        scope.nodes, facts.parameters, at_exit=_parameters_at_exit(facts, scope), macros=macros
    )
    rule = _rule(facts, config, request, scope)

    def with_groups(groups: Sequence[Group]) -> Plan:
        return _planned(facts, config, request, scope, _Grouped(rule, groups, inputs, in_conf))

    if rule.config.by == "auto" and (before := _as_before(request.earlier, scope)):
        try:
            return with_groups(before)
        except CycleError:
            _log.info("The nodes can no longer share steps as they did in the run that is gone on from")
    plan = with_groups(rule.groups(scope.nodes))
    if rule.config.by != "auto":
        return plan
    return _with_states_told(_within_limit(plan, rule, with_groups), rule, with_groups)


def _as_before(earlier: EarlierRun | None, scope: Scope) -> list[Group]:
    """The groups of the run that is gone on from, if they are of the same nodes.

    By the times that are known now they might be others, and put what has failed together with what succeeded.
    """
    steps = earlier.steps if earlier else {}
    known = sorted(node for nodes in steps.values() for node in nodes)
    same = bool(known) and known == sorted(node.name for node in scope.nodes)
    return [Group(name, tuple(nodes)) for name, nodes in steps.items()] if same else []


_TRIES, _MARGIN = 6, 0.97
_FAR = 4


def _with_states_told(plan: Plan, rule: GroupingRule, with_groups: Callable[[Sequence[Group]], Plan]) -> Plan:
    """The plan with so few steps that KFP's API tells their states to the end, where that costs no time; else as it is."""
    fewer, most = plan, len(plan.steps)
    for _ in range(_TRIES):
        if plan.target != "kubeflow" or fewer.workflow.states_are_told:
            return fewer
        wished = int((fewer.workflow.steps_that_are_told - (len(fewer.tasks) - len(fewer.steps))) * _MARGIN)
        if not 0 < wished < len(fewer.steps) <= _FAR * wished:
            return plan
        groups = rule.groups(plan.scope.nodes, most=most, wished=wished)
        if len(groups) > wished:
            return plan
        # What shares a step keeps its artifacts, so that each step is larger.
        fewer = with_groups(groups)
    return fewer if fewer.workflow.states_are_told else plan


def _within_limit(plan: Plan, rule: GroupingRule, with_groups: Callable[[Sequence[Group]], Plan]) -> Plan:
    """The plan with fewer steps, until Argo keeps it to its end for certain; where nothing more can be merged, as it is."""
    for _ in range(_TRIES):
        if plan.workflow.has_room:
            break
        own = len(plan.tasks) - len(plan.steps)
        most = int((plan.workflow.steps_that_fit * ROOM - own) * _MARGIN)
        groups = rule.groups(plan.scope.nodes, most=max(min(most, len(plan.steps) - 1), 1))
        if len(groups) >= len(plan.steps):
            break
        plan = with_groups(groups)
    return plan


def _rule(facts: Facts, config: KubeflowConfig, request: Request, scope: Scope) -> GroupingRule:
    run = config.run_config
    every = {node.name: node for pipeline in facts.pipelines.values() for node in node_facts(pipeline)}
    nodes = list({**every, **{node.name: node for node in scope.nodes}}.values())
    return GroupingRule(
        config=run.grouping,
        handoffs=scope.handoffs,
        registered=facts.pipelines,
        fits=fits_of(run, nodes, image=request.image),
        times={node: timed.seconds for node, timed in facts.node_times.items()},
    )


@dataclass(frozen=True)
class _Grouped:
    """Nodes in groups, and the inputs of their pipeline."""

    rule: GroupingRule
    groups: Sequence[Group]
    inputs: Mapping[str, PipelineInput]
    in_conf: Sequence[str]


def _planned(facts: Facts, config: KubeflowConfig, request: Request, scope: Scope, grouped: _Grouped) -> Plan:
    groups, inputs, in_conf = grouped.groups, grouped.inputs, grouped.in_conf
    steps = steps_of(scope.selection.pipeline, scope.nodes, groups, scope.handoffs, inputs, facts.parameters)
    defaults = _defaults(facts, config, request, scope, list(inputs.values()), steps, grouped.rule)
    going_on = resumed(steps, request.earlier, defaults.inputs)
    root, group = _tasks(going_on, defaults, request)
    root, group = (tuple(told_of_local(task, facts.parameters.local) for task in tasks) for tasks in (root, group))
    cached = cache_warnings(going_on.steps, defaults.settings)
    chosen, run = scope.selection, config.run_config
    return Plan(
        name=names.pipeline_name(facts.project.name, chosen.name),
        display_name=_display_name(facts, scope),
        description=chosen.description or run.description or "",
        tags=_tags(facts, scope),
        env=facts.project.env,
        target=facts.target,
        scope=scope,
        inputs=tuple(inputs[key] for key in sorted(inputs)),
        steps=going_on.steps,
        root=root,
        group=group,
        datasets=tuple(datasets_of(scope, steps, str(run.memory_dataset["type"]))),
        free_inputs=free_inputs(scope.nodes),
        common_call=defaults.call,
        volume=run.volume,
        ttl=run.ttl,
        deadline=run.deadline,
        grouped=None if request.earlier else Grouped(grouped.rule, tuple(groups)),
        workflow_limit=limit_of(run.workflow_limit) if facts.target == "kubeflow" else None,
        warnings=(
            *in_conf,
            *facts.notes,
            *_grouped_nothing(config, scope, groups),
            *_not_cached(facts, config, scope, steps),
            *from_conf_local(facts, scope, inputs, _read_from_conf(steps, defaults)),
            *readable_secrets(inputs),
            *_no_tracking_server(facts, config, scope),
            *_left_out(facts),
            *unknown_parameters(facts),
            *cached,
            *plain_text_warnings(defaults.settings),
            *code_warnings(request.code, defaults),
        ),
        cache_warnings=cached,
        taken_over=going_on.taken_over,
        reasons=going_on.reasons,
    )


def _read_from_conf(steps: Sequence[Step], defaults: Defaults) -> set[str]:
    at_exit = [defaults.at_exit.step] if defaults.at_exit and defaults.at_exit.step else []
    return {name for step in (*steps, *at_exit) for name in step.conf_parameters}


def _parameters_at_exit(facts: Facts, scope: Scope) -> frozenset[str]:
    return scope.exit_pipeline.parameters(facts.parameters.values) if scope.exit_pipeline else frozenset()


def _validated(facts: Facts, scope: Scope) -> dict[str, Any]:
    """The pipelines whose types Kedro holds parameters against: the named ones, or all of them for the default one."""
    chosen = scope.selection.pipelines
    return dict(facts.pipelines) if DEFAULT in chosen else {name: facts.pipelines[name] for name in chosen}


def _grouped_nothing(config: KubeflowConfig, scope: Scope, groups: Sequence[Group]) -> Iterator[str]:
    by = config.run_config.grouping.by
    if by != "node" and len(groups) == len(scope.nodes) > 1:
        yield f"`grouping: {by}` puts no two nodes together: each of the {len(groups)} nodes is a step of its own"


def _not_cached(facts: Facts, config: KubeflowConfig, scope: Scope, steps: Sequence[Step]) -> Iterator[str]:
    if any(config.run_config.cache.values()):
        for step in _of_the_run(facts, scope, steps):
            what = f"The step {step.display_name!r} is not cached: a resolver of the configuration gives it something when it"
            yield f"{what} runs, which a result of another run would not have"


def _no_tracking_server(facts: Facts, config: KubeflowConfig, scope: Scope) -> Iterator[str]:
    given = any("MLFLOW_TRACKING_URI" in (variables or {}) for variables in config.run_config.env.values())
    if not scope.tracking or not facts.mlflow.installed:
        return
    if address := facts.mlflow.address:
        if unknown := unknown_scheme(address):
            yield f"The MLflow server's address begins with {unknown!r}, which is nothing that MLflow knows: steps would fail"
        elif is_folder(address):
            yield "The MLflow server is a folder of this machine: each step, in a pod, would log to one of its own, or fail"
    elif not given:
        yield (
            "No MLflow server is named (mlflow.yml, server.mlflow_tracking_uri, or MLFLOW_TRACKING_URI in run_config.env), and "
            "kedro-mlflow is installed: each step would log to a folder of its own, or fail"
        )


def _left_out(facts: Facts) -> list[str]:
    return [
        f"{one.said}, and its pipeline is left out: {one.reason}" + (f" ({one.where})" if one.where else "")
        for one in facts.import_failures
    ]


def _display_name(facts: Facts, scope: Scope) -> str:
    chosen, project = scope.selection, facts.project.name
    shown = project if chosen.display_name == DEFAULT else f"{project}: {chosen.display_name}"
    return f"{shown} ({chosen.cut})" if chosen.cut else shown


def _defaults(
    facts: Facts,
    config: KubeflowConfig,
    request: Request,
    scope: Scope,
    inputs: list[PipelineInput],
    steps: Sequence[Step],
    rule: GroupingRule,
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
    for step in _of_the_run(facts, scope, steps):
        settings[step.display_name] = replace(settings[step.display_name], cache=False)
    image = _image(request, config)
    start = _start_options(config, _display_name(facts, scope), image) if scope.tracking else {}
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


def _of_the_run(facts: Facts, scope: Scope, steps: Sequence[Step]) -> Iterator[Step]:
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


def _tasks(going_on: Resumed, defaults: Defaults, request: Request) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """Every task with its settings: those at the root of the graph, and those in the group that the exit task watches."""
    steps, code = going_on.steps, request.code
    tasks = mounted([step_task(step, defaults) for step in steps], steps, defaults)
    if taken := resume_options(request.earlier, going_on):
        if defaults.tracking:
            defaults = replace(defaults, start_options={**defaults.start_options, **taken})
        else:
            tasks = recorded(tasks, taken)
    if defaults.tracking:
        every = {task.name for task in tasks}
        tasks = [with_mlflow_run(task, defaults, every) for task in tasks]
    # The start task too is watched by the exit task: it may be killed when it has opened the run.
    first = [plugin_tasks.start(defaults, steps)] if defaults.tracking else []
    inner = (*first, *volume_tasks(defaults), *going_on.importers, *tasks, *_last(tasks, steps, defaults))
    body = tuple(_with_settings(task, defaults) for task in with_code(inner, code, defaults))
    if defaults.exit_task is None:
        return body, ()
    end = plugin_tasks.finish(defaults, defaults.exit_task)
    if defaults.at_exit and defaults.at_exit.step and defaults.at_exit.step.volume:
        end = with_volume(end, defaults)
    return (_with_settings(at_exit_with_code(end, code), defaults),), body


def _last(tasks: Sequence[Task], steps: Sequence[Step], defaults: Defaults) -> list[Task]:
    if defaults.tracking:
        return [plugin_tasks.mark_success(defaults, tasks)] if defaults.marks_success(steps) else []
    doubtful = defaults.exit_task is not None and any(task.cache for task in tasks)
    return [plugin_tasks.run_succeeded(defaults, tasks)] if doubtful else []


def _with_settings(task: Task, defaults: Defaults) -> Task:
    if task.outputs and not task.cache:
        # The pod finds the run's id where its outputs go.
        task = replace(task, pod_fields={})
    given = defaults.settings.get(task.display_name)
    if given is None or task.call is None:
        return task
    return replace(task, call=_told_of_retries(task.call, task, given), image=given.image or task.image, settings=given)


def _told_of_retries(call: StepCall, task: Task, given: StepSettings) -> StepCall:
    """Kubeflow makes lost pods anew, and leaves nodes that fail to the step itself."""
    retry = given.retry
    if task.at_exit or not retry.num_retries:
        return call
    policy = [retry.num_retries, retry.backoff_duration, retry.backoff_factor, retry.max_duration or 0]
    return replace(call, settings={**call.settings, "retry": policy})


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


def _tags(facts: Facts, scope: Scope) -> dict[str, str]:
    chosen = scope.selection
    tags = {"project": facts.project.name, "pipeline": chosen.pipeline, "env": facts.project.env or "default"}
    return tags | ({"job": chosen.job} if chosen.job else {}) | ({"slice": str(chosen.part)} if chosen.part else {})
