"""What people are told of a plan: what its settings do not do, where its MLflow run would go, what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.plan.grouping import Group
from kedro_kubeflow.plan.scope import Scope
from kedro_kubeflow.plan.shared_by_tasks import steps_of_the_run
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.project.facts import Facts
from kedro_kubeflow.project.mlflow_plugin import is_folder, unknown_scheme


def said_of_plan(
    facts: Facts, config: KubeflowConfig, scope: Scope, steps: Sequence[Step], groups: Sequence[Group]
) -> Iterator[str]:
    """A word on each thing that a user might not expect."""
    yield from _grouped_nothing(config, scope, groups)
    yield from _not_cached(facts, config, scope, steps)
    yield from _no_tracking_server(facts, config, scope)
    yield from _left_out(facts)


def _grouped_nothing(config: KubeflowConfig, scope: Scope, groups: Sequence[Group]) -> Iterator[str]:
    by = config.run_config.grouping.by
    if by != "node" and len(groups) == len(scope.nodes) > 1:
        yield f"`grouping: {by}` puts no two nodes together: each of the {len(groups)} nodes is a step of its own"


def _not_cached(facts: Facts, config: KubeflowConfig, scope: Scope, steps: Sequence[Step]) -> Iterator[str]:
    if any(config.run_config.cache.values()):
        for step in steps_of_the_run(facts, scope, steps):
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
