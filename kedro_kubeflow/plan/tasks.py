"""The tasks of a compiled pipeline, read back from its spec: what is said of it cannot drift from what is submitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from kedro_kubeflow.compiler import CompiledPipeline


@dataclass(frozen=True, kw_only=True)
class CompiledTask:
    """One container task; field names as in KFP's ``pipeline_spec.proto`` and ``kubernetes_executor_config.proto``.

    Attributes:
        order: tasks of one number can run at the same time.
        name: the KFP task name.
        waits_for: names of tasks; of a sub-DAG, the last ones inside it.
        container: image, command, args, env, resources.
        retries: its retry policy.
        kubernetes: what is asked of Kubernetes.
    """

    order: int
    name: str
    title: str
    waits_for: tuple[str, ...]
    container: Mapping[str, Any]
    retries: Mapping[str, Any]
    cache: bool
    kubernetes: Mapping[str, Any]


def compiled_tasks(compiled: CompiledPipeline) -> list[CompiledTask]:
    """Every task, those inside sub-DAGs with them, in an order in which they can run."""
    pipeline, platforms = compiled.pipeline_spec, compiled.platform_spec.get("platforms") or {}
    executors = pipeline["deploymentSpec"]["executors"]
    kubernetes = ((platforms.get("kubernetes") or {}).get("deploymentSpec") or {}).get("executors") or {}
    found = dict(_tasks(pipeline["root"]["dag"], pipeline.get("components") or {}, ()))
    sorter = TopologicalSorter({name: waits_for for name, (_, waits_for) in found.items()})
    orders: dict[str, int] = {}
    tasks: list[CompiledTask] = []
    for name in sorter.static_order():
        spec, waits_for = found[name]
        orders[name] = 1 + max((orders[other] for other in waits_for), default=0)
        tasks.append(
            CompiledTask(
                order=orders[name],
                name=name,
                title=str((spec.get("taskInfo") or {}).get("name") or name),
                waits_for=waits_for,
                container=dict((executors.get(f"exec-{name}") or {}).get("container") or {}),
                retries=dict(spec.get("retryPolicy") or {}),
                cache=bool((spec.get("cachingOptions") or {}).get("enableCache")),
                kubernetes=dict(kubernetes.get(f"exec-{name}") or {}),
            )
        )
    return sorted(tasks, key=lambda task: task.order)


def _tasks(
    dag: Mapping[str, Any], components: Mapping[str, Any], before: tuple[str, ...]
) -> Iterator[tuple[str, tuple[Mapping[str, Any], tuple[str, ...]]]]:
    """Name → spec and the names that it waits for; what a sub-DAG waits for, its first tasks wait for."""
    tasks = dag["tasks"]
    for name, task in tasks.items():
        waits_for = [leaf for other in task.get("dependentTasks") or () for leaf in _last(other, tasks, components)]
        needed = tuple(sorted(set(waits_for))) or before
        inner = _dag_of(task, components)
        if inner is None:
            yield name, (task, needed)
        else:
            yield from _tasks(inner, components, needed)


def _last(name: str, tasks: Mapping[str, Any], components: Mapping[str, Any]) -> list[str]:
    """The task itself, or the last ones of a sub-DAG."""
    inner = _dag_of(tasks[name], components)
    if inner is None:
        return [name]
    waited_for = {other for task in inner["tasks"].values() for other in task.get("dependentTasks") or ()}
    return [
        leaf for other in sorted(set(inner["tasks"]) - waited_for) for leaf in _last(other, inner["tasks"], components)
    ]


def _dag_of(task: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any] | None:
    component = components.get(task["componentRef"]["name"]) or {}
    dag: Mapping[str, Any] | None = component.get("dag")
    return dag
