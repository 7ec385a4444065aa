"""A stand-in for the cluster: the pods of a compiled pipeline, each started by hand, whenever and however often a test wants.

What Kubeflow's driver and launcher do is done here: the executor input is made from the compiled spec, inputs are where the
producing step has put them, and the start task's output is handed on.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from kedro_project import KedroProject
from mlflow import MlflowClient
from mlflow.entities import Run

START, MARK, END = "mlflow-start-run", "mlflow-mark-success", "mlflow-end-run"


@dataclass
class Pod:
    """One process; ``poll`` gives its exit code, negative for a signal, and None while it runs."""

    task: str
    pid: int
    log: Path
    poll: Callable[[], int | None]

    @property
    def code(self) -> int | None:
        return self.poll()

    def wait(self, seconds: float = 120) -> int:
        deadline = time.monotonic() + seconds
        while (code := self.code) is None:
            assert time.monotonic() < deadline, f"{self.task} does not end:\n{self.text}"
            time.sleep(0.02)
        return code

    def ok(self) -> Pod:
        assert self.wait() == 0, self.text
        return self

    def red(self) -> Pod:
        """The exit task of a run that has not succeeded: it did its work, and fails to be run again by a retry."""
        assert self.wait() == 1, self.text
        assert "All that is to be done at the end was done" in self.text, self.text
        assert "Traceback" not in self.text, self.text
        return self

    def send(self, sign: signal.Signals) -> None:
        os.kill(self.pid, sign)

    def until(self, file: Path, seconds: float = 60) -> Pod:
        """Wait for a file that a node writes."""
        deadline = time.monotonic() + seconds
        while not file.exists():
            assert self.code is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.02)
        return self

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Starter:
    """Starts pods by the command that the spec holds, or, much faster, as forks of a process that has imported all."""

    def __init__(self, *, fork: bool = True) -> None:
        self._server: subprocess.Popen[str] | None = None
        if fork:
            clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KEDRO_", "PYTHONDONT"))}
            self._server = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("fork_server.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**clean, "DO_NOT_TRACK": "1"},
            )

    def start(self, task: str, argv: list[str], cwd: Path, env: Mapping[str, str], log: Path) -> Pod:
        if self._server is None:
            with log.open("ab") as out:
                process = subprocess.Popen(
                    argv,
                    cwd=cwd,
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            return Pod(task, process.pid, log, process.poll)
        assert self._server.stdin
        assert self._server.stdout
        # PYTHON -m MODULE …
        request = {"module": argv[2], "argv": argv[3:], "cwd": str(cwd), "env": dict(env), "log": str(log)}
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return Pod(task, int(self._server.stdout.readline()), log, lambda: _noted(Path(f"{log}.exit")))

    def close(self) -> None:
        if self._server is not None and self._server.stdin:
            self._server.stdin.close()
            self._server.wait(20)


def _noted(file: Path) -> int | None:
    return int(file.read_text()) if file.exists() else None


@dataclass
class Pods:
    """The pods of one pipeline run."""

    project: KedroProject
    folder: Path
    starter: Starter
    server: str
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str = "demo-x7k2p"
    env: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    conf_env: str | None = None
    """The configuration environment of the pods, where the spec was compiled without one."""
    attempts: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.created = time.time() * 1000
        self.spec = self.compiled()
        self.mlflow_run_id: str | None = None

    def compiled(self) -> dict[str, Any]:
        """The pipeline's spec; compiled once for a project and its options."""
        file = self.project.path / f"pipeline{''.join(self.options)}.yaml"
        if not file.exists():
            argv = [sys.executable, "-m", "kedro", "kubeflow", "compile", "-o", str(file), *self.options]
            log = self.folder / "compile.log"
            self.starter.start("compile", argv, self.project.path, self.project.environment(), log).ok()
        spec: dict[str, Any] = next(iter(yaml.safe_load_all(file.read_text())))
        return spec

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.server)

    def runs(self) -> list[Run]:
        """Every run of every experiment that was made since the pods were."""
        experiments = [e.experiment_id for e in self.client.search_experiments()]
        return list(self.client.search_runs(experiments, f"attributes.start_time >= {int(self.created)}"))

    @property
    def run(self) -> Run:
        """The MLflow run as it is now."""
        assert self.mlflow_run_id
        return self.client.get_run(self.mlflow_run_id)

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.run.data.tags)

    def step(self, name: str) -> str:
        """A step's tag."""
        return self.tags.get(f"kubeflow_step.{name}", "")

    def start(self, **env: str) -> Pod:
        """Run the start task; whoever comes later has its output."""
        pod = self.pod(START, **env)
        if pod.wait() == 0:
            self.read_start()
        return pod

    def read_start(self) -> str:
        written = json.loads((self.folder / "store" / START / "executor_output.json").read_text())
        self.mlflow_run_id = written["parameterValues"]["run_id"]
        return self.mlflow_run_id

    def pod(
        self, task: str, *, status: str = "", error: str = "", settings: dict[str, Any] | None = None, **env: str
    ) -> Pod:
        """Start a task's process; ``settings`` are further ones of its call."""
        self.attempts += 1
        container = self.spec["deploymentSpec"]["executors"][f"exec-{task}"]["container"]
        text = json.dumps(self.executor_input(task, status, error))
        argv = [text if word == "{{$}}" else word for word in (*container["command"], *container["args"])]
        argv[0] = sys.executable
        if settings:
            if "--settings" not in argv:
                argv += ["--settings", "[]"]
            place = argv.index("--settings") + 1
            argv[place] = json.dumps([*json.loads(argv[place]), *settings.items()])
        own = {"KEDRO_KUBEFLOW_RUN_ID": self.run_id}
        argv += ["--env", self.conf_env] if self.conf_env else []
        log = self.folder / f"{self.attempts:02}-{task}.log"
        return self.starter.start(
            task, argv, self.project.path, self.project.environment({**own, **self.env, **env}), log
        )

    def end(self, status: str, error: str = "", **env: str) -> Pod:
        """Run the exit task with what KFP says of the steps."""
        pod = self.pod(END, status=status, error=error, **env)
        pod.wait()
        return pod

    def metrics_of(self, task: str) -> dict[str, Any]:
        """What the task has told KFP of its logged metrics."""
        written = json.loads((self.folder / "store" / task / "executor_output.json").read_text())
        metadata: dict[str, Any] = written["artifacts"]["mlflow-metrics"]["artifacts"][0]["metadata"]
        return {key: value for key, value in metadata.items() if key != "display_name"}

    def executor_input(self, task: str, status: str, error: str) -> dict[str, Any]:
        here = self.folder / "store" / task
        shutil.rmtree(here, ignore_errors=True)
        spec, component = self._task(task), self.spec["components"][f"comp-{task}"]
        wanted = spec.get("inputs", {})
        values = {n: self._value(p, status, error) for n, p in wanted.get("parameters", {}).items()}
        inputs = {
            n: self._artifact(self.folder / "store" / a["taskOutputArtifact"]["producerTask"], n, a)
            for n, a in wanted.get("artifacts", {}).items()
        }
        outputs = {
            n: {"artifacts": [{"name": n, "uri": str(here / n), "type": a["artifactType"], "metadata": {}}]}
            for n, a in component.get("outputDefinitions", {}).get("artifacts", {}).items()
        }
        return {
            "inputs": {"parameterValues": values, "artifacts": inputs},
            "outputs": {"artifacts": outputs, "outputFile": str(here / "executor_output.json")},
        }

    def _task(self, task: str) -> dict[str, Any]:
        components = self.spec["components"].values()
        dags = [self.spec["root"]["dag"], *(c["dag"] for c in components if "dag" in c)]
        return next(dag["tasks"][task] for dag in dags if task in dag["tasks"])

    def _value(self, parameter: dict[str, Any], status: str, error: str) -> Any:
        if "taskFinalStatus" in parameter:
            return {"state": status, **({"error": {"message": error}} if error else {})}
        if "runtimeValue" in parameter:
            placeholders = {"{{$.pipeline_job_uuid}}": self.run_id, "{{$.pipeline_job_name}}": self.name}
            constant = parameter["runtimeValue"]["constant"]
            return placeholders.get(constant, constant)
        if "taskOutputParameter" in parameter or parameter["componentInputParameter"] == "mlflow-run-id":
            return self.mlflow_run_id
        root = self.spec["root"]["inputDefinitions"]["parameters"]
        return root[parameter["componentInputParameter"]]["defaultValue"]

    @staticmethod
    def _artifact(folder: Path, name: str, source: dict[str, Any]) -> dict[str, Any]:
        key = source["taskOutputArtifact"]["outputArtifactKey"]
        return {"artifacts": [{"name": name, "uri": str(folder / key), "metadata": {}}]}


@contextmanager
def starter(*, fork: bool = True) -> Iterator[Starter]:
    made = Starter(fork=fork)
    try:
        yield made
    finally:
        made.close()
