"""Plans of nodes that stand in a test, made as any plan is: from facts and configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline, node

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.plan import Plan, make_plan
from kedro_kubeflow.plan.grouping import Group, NodeFacts
from kedro_kubeflow.plan.handoff import Handoff
from kedro_kubeflow.plan.inputs import PipelineInput, pipeline_inputs
from kedro_kubeflow.plan.steps import Step, free_inputs, steps_of
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.project.catalog import CatalogEntries
from kedro_kubeflow.project.facts import Facts, Parameters
from kedro_kubeflow.project.mlflow_plugin import MlflowPlugin
from kedro_kubeflow.project.node_times import Timed
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.request import Request


def kedro_pipeline(nodes: Sequence[NodeFacts]) -> Pipeline:
    """Kedro's own pipeline of such nodes, which do nothing."""
    return Pipeline(
        [
            node(
                lambda *_: None,
                list(n.inputs),
                list(n.outputs),
                name=n.name.removeprefix(f"{n.namespace}."),
                tags=n.tags,
                namespace=n.namespace,
            )
            for n in nodes
        ]
    )


def plan_of(
    nodes: Sequence[NodeFacts],
    catalog: Mapping[str, Any] | None = None,
    run_config: Mapping[str, Any] | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    tracking: bool = False,
    others: Mapping[str, Sequence[NodeFacts]] | None = None,
    times: Mapping[str, Timed] | None = None,
) -> Plan:
    """The plan of a pipeline ``p`` of the project ``demo``, in the environment ``base``.

    Args:
        others: further registered pipelines.
        times: how long nodes took in an earlier run.
    """
    config = KubeflowConfig.model_validate({"run_config": {"image": "img:1", **(run_config or {})}})
    facts = Facts(
        project=OpenProject(Path("/nowhere"), "demo", "demo", "base", "/nowhere/conf"),
        pipelines={name: kedro_pipeline(some) for name, some in {"p": nodes, **(others or {})}.items()},
        catalog=CatalogEntries(catalog or {}),
        parameters=Parameters(values=parameters or {}),
        mlflow=MlflowPlugin(installed=tracking),
        node_times=times or {},
    )
    plan = make_plan(facts, config, Request(pipelines=("p",)))
    return replace(plan, name="demo", display_name="Demo", root=_bare(plan.root), group=_bare(plan.group))


def _bare(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Without the options that every call has, whatever is configured."""
    always = {"experiment", "image", "kfp_native"}
    return tuple(
        replace(t, call=replace(t.call, settings={k: v for k, v in t.call.settings.items() if k not in always}))
        if t.call
        else t
        for t in tasks
    )


@dataclass(frozen=True)
class Graph:
    """Steps of nodes that were put into groups by hand."""

    steps: tuple[Step, ...]
    inputs: tuple[PipelineInput, ...]
    warnings: list[str]
    free_inputs: tuple[str, ...]


def graph_of(
    nodes: Sequence[NodeFacts], groups: Sequence[Group], handoffs: Mapping[str, Handoff], parameters: Parameters
) -> Graph:
    """Join them."""
    inputs, warnings = pipeline_inputs(nodes, parameters)
    steps = steps_of("p", nodes, groups, handoffs, inputs, parameters)
    return Graph(steps, tuple(inputs[key] for key in sorted(inputs)), warnings, free_inputs(nodes))
