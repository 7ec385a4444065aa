"""A model of what Kubeflow's driver does with a task's inputs, before its pod starts: what it cannot resolve, it fails.

As ``backend/src/v2/driver/resolve.go`` and ``k8s.go`` of kubeflow/pipelines 2.17 do it: whatever another task makes is looked for
among the tasks of the same DAG alone; what comes from outside is an input of the component around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kedro_kubeflow.compiler import CompiledPipeline

PLACEHOLDERS = ("{{$.pipeline_job_uuid}}", "{{$.pipeline_job_name}}", "{{$.workspace_path}}")


def unresolved(compiled: CompiledPipeline) -> list[str]:
    """Everything at which a driver would fail, a sentence each."""
    return list(_Resolution(compiled).problems())


class _Resolution:
    def __init__(self, compiled: CompiledPipeline) -> None:
        self._ir = compiled.pipeline_spec
        kubernetes = (compiled.platform_spec.get("platforms") or {}).get("kubernetes") or {}
        self._executors = (kubernetes.get("deploymentSpec") or {}).get("executors") or {}
        self._has_workspace = "workspace" in (kubernetes.get("pipelineConfig") or {})

    def problems(self) -> Iterator[str]:
        root = self._ir["root"]
        yield from self._dag("root", root["dag"], root.get("inputDefinitions") or {})

    def _dag(self, place: str, dag: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
        tasks = dag["tasks"]
        for name, task in tasks.items():
            where = f"{place}.{name}"
            component = self._ir["components"][task["componentRef"]["name"]]
            for other in task.get("dependentTasks") or ():
                if other not in tasks:
                    yield f"{where} waits for {other}, which is not in {place}"
            yield from self._parameters(where, task, component, tasks, given)
            yield from self._artifacts(where, task, component, tasks)
            if "dag" in component:
                yield from self._dag(where, component["dag"], component.get("inputDefinitions") or {})
            else:
                yield from self._platform(where, task, component, tasks)

    def _parameters(
        self, where: str, task: Mapping[str, Any], component: Mapping[str, Any], tasks: Any, given: Mapping[str, Any]
    ) -> Iterator[str]:
        wanted = (component.get("inputDefinitions") or {}).get("parameters") or {}
        inputs = (task.get("inputs") or {}).get("parameters") or {}
        for name in wanted:
            if name not in inputs:
                yield f"{where} has no value for {name}"
        for name, source in inputs.items():
            if name not in wanted:
                yield f"{where} is given {name}, which its component does not know"
            yield from self._parameter(f"{where}, {name}", source, task, tasks, given)

    def _parameter(
        self, where: str, source: Mapping[str, Any], task: Mapping[str, Any], tasks: Any, given: Mapping[str, Any]
    ) -> Iterator[str]:
        if "componentInputParameter" in source:
            if source["componentInputParameter"] not in (given.get("parameters") or {}):
                yield f"{where}: the component around it has no input {source['componentInputParameter']}"
        elif "taskOutputParameter" in source:
            output = source["taskOutputParameter"]
            yield from self._output(
                where, output["producerTask"], output["outputParameterKey"], "parameters", task, tasks
            )
        elif "taskFinalStatus" in source:
            # The driver takes the first task that is waited for, whatever is named.
            waited_for = task.get("dependentTasks") or ()
            if not waited_for or source["taskFinalStatus"]["producerTask"] != waited_for[0]:
                yield f"{where}: the status is that of {list(waited_for)}"
            if _strategy(task) != "ALL_UPSTREAM_TASKS_COMPLETED":
                yield f"{where}: only an exit task has a final status"
        else:
            constant = source["runtimeValue"]["constant"]
            if isinstance(constant, str) and "{{$" in constant and constant not in PLACEHOLDERS:
                yield f"{where}: {constant} is no whole placeholder"
            if constant == "{{$.workspace_path}}" and not self._has_workspace:
                yield f"{where}: the run has no workspace"

    def _artifacts(
        self, where: str, task: Mapping[str, Any], component: Mapping[str, Any], tasks: Any
    ) -> Iterator[str]:
        wanted = (component.get("inputDefinitions") or {}).get("artifacts") or {}
        inputs = (task.get("inputs") or {}).get("artifacts") or {}
        if set(wanted) != set(inputs):
            yield f"{where} wants the artifacts {sorted(wanted)} and is given {sorted(inputs)}"
        for name, source in inputs.items():
            output = source["taskOutputArtifact"]
            key = output["outputArtifactKey"]
            yield from self._output(f"{where}, {name}", output["producerTask"], key, "artifacts", task, tasks)

    def _output(
        self, where: str, producer: str, key: str, kind: str, task: Mapping[str, Any], tasks: Any
    ) -> Iterator[str]:
        if producer not in tasks:
            yield f"{where}: {producer} is not in tasks"
            return
        if producer not in (task.get("dependentTasks") or ()):
            yield f"{where}: {producer} is not waited for"
        made = self._ir["components"][tasks[producer]["componentRef"]["name"]].get("outputDefinitions") or {}
        if key not in (made.get(kind) or {}):
            yield f"{where}: {producer} has no output {key}"
        if _strategy(task):
            yield f"{where}: an exit task is given nothing that tasks make"

    def _platform(self, where: str, task: Mapping[str, Any], component: Mapping[str, Any], tasks: Any) -> Iterator[str]:
        label = component["executorLabel"]
        if label not in self._ir["deploymentSpec"]["executors"]:
            yield f"{where}: there is no executor {label}"
        for mount in (self._executors.get(label) or {}).get("pvcMount") or ():
            output = mount.get("taskOutputParameter")
            if output:
                yield from self._output(
                    f"{where}, volume", output["producerTask"], output["outputParameterKey"], "parameters", task, tasks
                )


def _strategy(task: Mapping[str, Any]) -> str:
    return str((task.get("triggerPolicy") or {}).get("strategy") or "")
