"""Make a plan: a project's facts and configuration → all that is decided, from the nodes that run to each task's settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import CycleError
from kedro_kubeflow.parameters import VERTEX_JOB
from kedro_kubeflow.plan import plugin_tasks
from kedro_kubeflow.plan.datasets import datasets_of
from kedro_kubeflow.plan.defaults import Defaults
from kedro_kubeflow.plan.estimate import Grouped
from kedro_kubeflow.plan.few_steps import with_states_told, within_limit
from kedro_kubeflow.plan.grouping import Group
from kedro_kubeflow.plan.grouping_rule import GroupingRule
from kedro_kubeflow.plan.inputs import PipelineInput, pipeline_inputs
from kedro_kubeflow.plan.local_values import told_of_local
from kedro_kubeflow.plan.nodes import node_facts
from kedro_kubeflow.plan.plan import Plan
from kedro_kubeflow.plan.resume import Resumed, recorded, resume_options, resumed
from kedro_kubeflow.plan.said_of_plan import said_of_plan
from kedro_kubeflow.plan.said_of_values import from_conf_local, readable_secrets, unknown_parameters
from kedro_kubeflow.plan.scope import Scope, scope_of
from kedro_kubeflow.plan.selection import DEFAULT
from kedro_kubeflow.plan.settings import cache_warnings, fits_of, plain_text_warnings
from kedro_kubeflow.plan.shared_by_tasks import defaults_of
from kedro_kubeflow.plan.slicing import check_inputs
from kedro_kubeflow.plan.step_tasks import step_task, with_mlflow_run
from kedro_kubeflow.plan.steps import Step, free_inputs, steps_of
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.plan.travelling_code import at_exit_with_code, code_warnings, with_code
from kedro_kubeflow.plan.volume import mounted, volume_tasks, with_volume
from kedro_kubeflow.plan.workflow import limit_of
from kedro_kubeflow.project.facts import Facts
from kedro_kubeflow.project.partial import is_known
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
    return with_states_told(within_limit(plan, rule, with_groups), rule, with_groups)


def _as_before(earlier: EarlierRun | None, scope: Scope) -> list[Group]:
    """The groups of the run that is gone on from, if they are of the same nodes.

    By the times that are known now they might be others, and put what has failed together with what succeeded.
    """
    steps = earlier.steps if earlier else {}
    known = sorted(node for nodes in steps.values() for node in nodes)
    same = bool(known) and known == sorted(node.name for node in scope.nodes)
    return [Group(name, tuple(nodes)) for name, nodes in steps.items()] if same else []


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
    shown = _display_name(facts, scope)
    defaults = defaults_of(facts, config, request, scope, list(inputs.values()), steps, grouped.rule, shown)
    going_on = resumed(steps, request.earlier, defaults.inputs)
    root, group = _tasks(going_on, defaults, request)
    root, group = (tuple(told_of_local(task, facts.parameters.local) for task in tasks) for tasks in (root, group))
    cached = cache_warnings(going_on.steps, defaults.settings)
    chosen, run = scope.selection, config.run_config
    return Plan(
        name=names.pipeline_name(facts.project.name, chosen.name),
        display_name=shown,
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
            *said_of_plan(facts, config, scope, steps, groups),
            *from_conf_local(facts, scope, inputs, _read_from_conf(steps, defaults)),
            *readable_secrets(inputs),
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


def _display_name(facts: Facts, scope: Scope) -> str:
    chosen, project = scope.selection, facts.project.name
    shown = project if chosen.display_name == DEFAULT else f"{project}: {chosen.display_name}"
    return f"{shown} ({chosen.cut})" if chosen.cut else shown


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


def _tags(facts: Facts, scope: Scope) -> dict[str, str]:
    chosen = scope.selection
    tags = {"project": facts.project.name, "pipeline": chosen.pipeline, "env": facts.project.env or "default"}
    return tags | ({"job": chosen.job} if chosen.job else {}) | ({"slice": str(chosen.part)} if chosen.part else {})
