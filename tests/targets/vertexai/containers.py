"""What Vertex AI does with a job: its tasks one by one, each as a process that is given what a container there is given.

Artifacts have ``gs://`` addresses; Cloud Storage is a folder that stands in for ``/gcs``. What goes in and comes out is
parsed with KFP's own ``ExecutorInput`` and ``ExecutorOutput``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from kedro_kubeflow.targets.base.spec import tasks_before

NUMBER = "123456789"


@dataclass
class Containers:
    """One job.

    Attributes:
        gcs: the folder that has ``/gcs`` in it.
        project: the working directory of the image.
        states: task → SUCCEEDED, FAILED or NOT_TRIGGERED, in the order in which they ended.
        given: task → the arguments that its process had.
        cancelled: somebody ends the job before the steps begin.
        broken: no step can be started, for this reason.
    """

    spec: Mapping[str, Any]
    job: str
    root: str
    gcs: Path
    project: Path
    env: Mapping[str, str] = field(default_factory=dict)
    uuid: str = "987654321"
    cancelled: bool = False
    broken: str = ""
    states: dict[str, str] = field(default_factory=dict)
    given: dict[str, list[str]] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    def run(self) -> str:
        """The job's end: SUCCEEDED or FAILED."""
        declared = (self.spec["root"].get("inputDefinitions") or {}).get("parameters") or {}
        values = {name: parameter["defaultValue"] for name, parameter in declared.items()}
        return self._dag(self.spec["root"]["dag"], values)

    def _dag(self, dag: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        tasks = dag["tasks"]
        before = {name: sorted(tasks_before(task)) for name, task in sorted(tasks.items())}
        ended: dict[str, str] = {}
        for name in TopologicalSorter(before).static_order():
            task = tasks[name]
            anyway = (task.get("triggerPolicy") or {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"
            if not anyway and any(ended[other] != "SUCCEEDED" for other in before[name]):
                ended[name] = "NOT_TRIGGERED"
                continue
            component = self.spec["components"][task["componentRef"]["name"]]
            inputs = {
                key: self._value(source, values, ended)
                for key, source in ((task.get("inputs") or {}).get("parameters") or {}).items()
            }
            ended[name] = (
                self._group(component["dag"], inputs) if "dag" in component else self._task(name, task, inputs)
            )
        return "FAILED" if "FAILED" in ended.values() else "SUCCEEDED"

    def _group(self, dag: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
        if not (self.cancelled or self.broken):
            return self._dag(dag, inputs)
        # It comes no further than what waits for nothing.
        self._dag({"tasks": {name: task for name, task in dag["tasks"].items() if not tasks_before(task)}}, inputs)
        return "CANCELLED" if self.cancelled else "FAILED"

    def _value(self, source: Mapping[str, Any], values: Mapping[str, Any], ended: Mapping[str, str]) -> Any:
        if "runtimeValue" in source:
            return self._resolved(source["runtimeValue"]["constant"])
        if "componentInputParameter" in source:
            return values[source["componentInputParameter"]]
        if "taskFinalStatus" in source:
            producer = source["taskFinalStatus"]["producerTask"]
            failed = ended[producer] != "SUCCEEDED"
            return {
                "state": ended[producer],
                "pipelineJobResourceName": f"projects/{NUMBER}/locations/europe-west1/pipelineJobs/{self.job}",
                "pipelineTaskName": producer,
                "error": {"code": 9, "message": self.broken or "some tasks did not succeed"} if failed else {},
            }
        made = source["taskOutputParameter"]
        return self.outputs[made["producerTask"]]["parameterValues"][made["outputParameterKey"]]

    def _resolved(self, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        return text.replace("{{$.pipeline_job_uuid}}", self.uuid).replace("{{$.pipeline_job_name}}", self.job)

    def _task(self, name: str, task: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
        component = self.spec["components"][task["componentRef"]["name"]]
        executor = self.spec["deploymentSpec"]["executors"][component["executorLabel"]]
        if "importer" in executor:
            return self._imported(name, component, executor["importer"])
        container = executor["container"]
        folder = f"{self.root}/{NUMBER}/{self.job}/{name}_-{100 + len(self.states)}"
        message = self._executor_input(component, task, inputs, folder)
        json_format.ParseDict(message, ir.ExecutorInput())
        argv = [
            self._resolved(word).replace("{{$}}", json.dumps(message))
            for word in (*container["command"], *container["args"])
        ]
        self.given[name] = argv
        done = subprocess.run(
            [sys.executable, *argv[1:]],
            cwd=self.project,
            env=self._environment(container),
            capture_output=True,
            text=True,
            check=False,
        )
        self.logs[name] = done.stdout + done.stderr
        file = self._local(message["outputs"]["outputFile"])
        if done.returncode == 0 and file.exists():
            self.outputs[name] = json.loads(file.read_text())
            json_format.ParseDict(self.outputs[name], ir.ExecutorOutput())
        self.states[name] = "SUCCEEDED" if done.returncode == 0 else "FAILED"
        return self.states[name]

    def _imported(self, name: str, component: Mapping[str, Any], importer: Mapping[str, Any]) -> str:
        """Vertex AI makes the artifact known by itself."""
        (output,) = component["outputDefinitions"]["artifacts"]
        artifact = {"name": name, "uri": importer["artifactUri"]["constant"], "type": importer["typeSchema"]}
        self.outputs[name] = {"artifacts": {output: {"artifacts": [artifact]}}}
        self.states[name] = "SUCCEEDED"
        return "SUCCEEDED"

    def _environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        own = {entry["name"]: entry["value"] for entry in container.get("env") or ()}
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KEDRO_", "KFP_", "PYTHONDONT"))}
        there = {"CLOUD_ML_PROJECT_ID": NUMBER, "CLOUD_ML_JOB_ID": "1", "KEDRO_KUBEFLOW_MOUNT_ROOT": str(self.gcs)}
        return {**clean, **own, **there, **self.env}

    def _executor_input(
        self, component: Mapping[str, Any], task: Mapping[str, Any], inputs: Mapping[str, Any], folder: str
    ) -> dict[str, Any]:
        made = component.get("outputDefinitions") or {}
        sources = (task.get("inputs") or {}).get("artifacts") or {}
        taken = {name: source["taskOutputArtifact"] for name, source in sources.items()}
        return {
            "inputs": {
                "parameterValues": dict(inputs),
                "artifacts": {
                    name: self.outputs[source["producerTask"]]["artifacts"][source["outputArtifactKey"]]
                    for name, source in taken.items()
                },
            },
            "outputs": {
                "parameters": {
                    name: {"outputFile": f"{self._mounted(folder)}/{name}"} for name in made.get("parameters") or {}
                },
                "artifacts": {
                    name: {"artifacts": [{"name": name, "uri": f"{folder}/{name}", "type": artifact["artifactType"]}]}
                    for name, artifact in (made.get("artifacts") or {}).items()
                },
                "outputFile": f"{self._mounted(folder)}/executor_output.json",
            },
        }

    def _mounted(self, uri: str) -> str:
        return uri.replace("gs://", "/gcs/", 1)

    def _local(self, path: str) -> Path:
        return Path(f"{self.gcs}{path}")
