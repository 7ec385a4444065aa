"""``python -m kedro_kubeflow.targets.local.worker PROJECT COMMAND``: the process that kfp.local runs in.

A process of its own, since kfp.local rewires logging and printing of the process that it runs in, and so that everything
that a run has started can be ended at once: the worker leads a process group, and ends it when whoever started it is
gone. Events go out as JSON lines; what kfp and the steps print goes to files.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from kedro_kubeflow.contract import (
    HOME_ENV,
    LOCAL_ENV,
    RUN_ID_ENV,
    STATES_FILE,
    VOLUME_ENV,
    StepCall,
    runtime_arguments,
)
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.names import task_name
from kedro_kubeflow.targets.local.adapter import adapted, execute
from kedro_kubeflow.targets.local.history import FOLDER
from kedro_kubeflow.targets.local.isolated import pod
from kedro_kubeflow.targets.local.preload import RUNTIME, TRACKING, Learned
from kedro_kubeflow.targets.local.processes import Ended, Forks, NewProcesses, Processes, Start, can_fork
from kedro_kubeflow.targets.local.source_imports import source_imports, store_imports
from kedro_kubeflow.targets.local.standby import LOG

VOLUME = "volume"
"""The run's volume, in the run's folder."""
MOUNT = "/kedro-volume"
"""Where Docker's containers have it."""
ARTIFACTS, IMAGE, PODS = "artifacts", "image", "pods"
"""In the run's folder: what steps make; for isolated steps, what each starts with, and where each works."""
IMPORTED = "imported"
"""In the run's folder: what forked steps have imported by themselves."""
_WITHOUT_CLIENT = "_KFP_RUNTIME"
# Kedro's log is made for terminals; in a file there is room.
FOR_ALL = {"COLUMNS": "160"}


class Worker:
    """One run.

    ``request.json`` in the run's folder says what: ``run_id``, ``runner``, ``project`` (the working directory of the
    steps), ``environ`` (for every step), ``cache`` (the folder of results of cached steps, or null), ``volume`` (whether the
    steps share one), ``isolated`` (whether each works in a folder of its own, a copy of the run's ``image``),
    ``max_parallel``, ``isolation``, and for forks ``tracking``, ``types``, ``package``: see ``run_here``.
    """

    def __init__(self, folder: Path, request: Mapping[str, Any], processes: Processes, events: IO[str]) -> None:
        self._folder, self._request, self._processes, self._events = folder, request, processes, events
        self._states: dict[str, str] = {}
        self._lock = threading.Lock()
        self._ended: dict[str, Ended] = {}

    def run(self) -> int:
        """Run the pipeline; 0 where it succeeded."""
        request = self._request
        try:
            mounts = {str(self._folder / VOLUME): MOUNT} if request.get("volume") else {}
            with adapted(
                request["runner"],
                request["run_id"],
                self._run_task,
                self._report,
                hit=self._from_cache,
                mounts=mounts,
                max_parallel=request.get("max_parallel"),
            ):
                execute(
                    self._folder / "pipeline.yaml",
                    request["runner"],
                    self._folder / ARTIFACTS,
                    {"environment": self._environ({})},
                    cache_root=Path(request["cache"]) if request.get("cache") else None,
                )
        except KedroKubeflowError as error:
            self._emit(event="error", text=str(error))
            return 1
        except RuntimeError as error:
            # KFP's word for a failed task; which one it was has been reported already.
            print(error, file=sys.stderr)
            return 1
        except Exception as error:
            traceback.print_exc()
            self._emit(event="error", text=str(self._explained(error)))
            return 1
        return 0

    def _explained(self, error: Exception) -> KedroKubeflowError:
        line, where = f"{type(error).__name__}: {error}", str(self._folder / LOG)
        if type(error).__module__.startswith("docker"):
            cure = "start Docker and see that this user may use it, or run the steps as processes: --local"
            return KedroKubeflowError(f"Docker cannot run the step: {line}", where=where, cure=cure)
        return KedroKubeflowError(f"kfp cannot run the compiled pipeline here: {line}", where=where)

    def _report(self, command: list[str], run: Callable[[], bool]) -> bool:
        call, executor_input = StepCall.from_argv(runtime_arguments(command))
        since, began = time.monotonic(), time.time()
        self._emit(
            event="started", at=began, step=call.step, log=str(self._log(call)), outputs=_outputs(call, executor_input)
        )
        succeeded = run()
        with self._lock:
            self._states[call.step] = "succeeded" if succeeded else "failed"
            (self._folder / STATES_FILE).write_text(json.dumps(self._states), "utf-8")
        process = self._ended.get(call.step) or Ended(0, began, time.monotonic() - since)
        self._emit(
            event="ended",
            step=call.step,
            succeeded=succeeded,
            seconds=process.seconds,
            process_at=process.began,
            at=time.time(),
        )
        return succeeded

    def _from_cache(self, command: list[str], outputs: Mapping[str, Any]) -> None:
        call, _ = StepCall.from_argv(runtime_arguments(command))
        uris = {name: str(getattr(output, "uri", "")) for name, output in outputs.items()}
        self._emit(event="cached", step=call.step, outputs=_paths(call, uris))

    def _run_task(self, command: list[str], env: Mapping[str, str]) -> bool:
        call, _ = StepCall.from_argv(runtime_arguments(command))
        if not self._request.get("isolated"):
            return self._start(call, command, Path(self._request["project"]), env)
        folder = self._folder / PODS / task_name(call.step)
        with pod(self._folder / IMAGE, self._folder / ARTIFACTS, folder, command) as own:
            return self._start(call, own.command, own.project, env)

    def _start(self, call: StepCall, command: list[str], project: Path, env: Mapping[str, str]) -> bool:
        python = [sys.executable, *command[1:]] if command[0] == "python" else command
        said = _said_at_the_end(command)
        said.unlink(missing_ok=True)
        ended = self._ended[call.step] = self._processes.run(
            Start(
                python,
                project,
                {**os.environ, **self._environ(env)},
                self._log(call),
                soon=call.action in ("start", "succeed", "finish"),
                imported=self._folder / IMPORTED / f"{task_name(call.step)}.json",
            )
        )
        return ended.code == 0 and (said.is_file() or self._broken_off(call))

    def _broken_off(self, call: StepCall) -> bool:
        """Say that something, a library as a rule, has ended a process in the middle as if all were well: it has failed."""
        with self._log(call).open("a", encoding="utf-8") as log:
            print(
                f"kedro-kubeflow: step {call.step!r} failed\n"
                "Something has ended its process, with exit code 0, before its results were stored\n"
                "  cure:  look at what its node calls last: does a library end the process?",
                file=log,
            )
        return False

    def _environ(self, env: Mapping[str, str]) -> dict[str, str]:
        own = {LOCAL_ENV: str(self._folder), RUN_ID_ENV: self._request["run_id"]}
        if self._request.get("isolated"):
            own[HOME_ENV] = self._request["project"]
        if self._request.get("volume"):
            inside = self._request["runner"] == "docker"
            own[VOLUME_ENV] = MOUNT if inside else str(self._folder / VOLUME)
        return {**FOR_ALL, **self._request["environ"], **env, **own}

    def _log(self, call: StepCall) -> Path:
        logs = self._folder / "logs"
        logs.mkdir(exist_ok=True)
        return logs / f"{task_name(call.step)}.log"

    def _emit(self, **event: Any) -> None:
        with self._lock:
            print(json.dumps(event), file=self._events, flush=True)


def _said_at_the_end(command: list[str]) -> Path:
    """The file that a task writes when all is done."""
    return Path(json.loads(command[-1])["outputs"]["outputFile"])


def _outputs(call: StepCall, executor_input: str) -> dict[str, str]:
    """Dataset → where its artifact lies."""
    made = (json.loads(executor_input).get("outputs") or {}).get("artifacts") or {}
    return _paths(call, {name: artifact["artifacts"][0]["uri"] for name, artifact in made.items()})


def _paths(call: StepCall, uris: Mapping[str, str]) -> dict[str, str]:
    return {
        c.dataset: f"{uris[c.name]}/{c.filename}".rstrip("/")
        for c in call.outputs
        if c.name in uris and c.how in ("file", "copy", "memory")
    }


class Standby:
    """The process before it is told what to run: it imports kfp, and lets a fork server import what steps will."""

    def __init__(self, project: Path, command: str) -> None:
        """Start the fork server, if the project's last run has used one.

        Args:
            command: the command line, by which is known what its steps import.
        """
        self._project, self._command = project, command
        # Not made here: there may be nothing to run.
        self._learned = Learned(project / FOLDER / "preload.json")
        forks = self._learned.isolation == "fork" and can_fork()
        self._forks = self._start_server({**os.environ, **FOR_ALL}) if forks else None
        _import_kfp()

    def run(self, folder: Path, events: IO[str]) -> int:
        """Run the request in a folder."""
        request = json.loads((folder / "request.json").read_text("utf-8"))
        processes = self._processes(request)
        (folder / IMPORTED).mkdir()
        try:
            return Worker(folder, request, processes, events).run()
        finally:
            self._learn(request, folder / IMPORTED)
            if self._forks:
                said = self._forks.close()
                (folder / "preload.log").write_text(said, "utf-8")

    def _processes(self, request: Mapping[str, Any]) -> Processes:
        """How this run's steps become processes, now that it is known what it needs."""
        environ = {**os.environ, **FOR_ALL, **request["environ"]}
        forks = request["runner"] == "subprocess" and request.get("isolation") == "fork" and can_fork()
        # Libraries may have looked at what has changed in the environment since.
        if self._forks and not (forks and self._forks.suits(environ)):
            self._forks.close()
            self._forks = None
        if not forks:
            return NewProcesses()
        self._forks = self._forks or self._start_server(environ)
        if request["tracking"]:
            self._forks.preload(preload=list(TRACKING), ours=True)
        self._forks.preload(types=[t for t in request["types"] if t.partition(".")[0] != request["package"]])
        return self._forks

    def _start_server(self, environ: Mapping[str, str]) -> Forks:
        forks = Forks(environ, self._project, self._learned)
        tracking = self._learned.tracking
        if tracking is None:
            tracking = any(self._project.glob("conf/*/mlflow*"))
        forks.preload(preload=[*RUNTIME, *(TRACKING if tracking else ())], ours=True)
        learned = self._learned.modules(self._command)
        forks.preload(preload=learned or self._guessed(tracking))
        return forks

    def _guessed(self, tracking: bool) -> list[str]:
        """What steps will import most likely, as none has run yet."""
        store = store_imports(self._project) if tracking else []
        return [name for name in (*store, *source_imports(self._project)) if self._learned.is_fit(name)]

    def _learn(self, request: Mapping[str, Any], folder: Path) -> None:
        found: dict[str, None] = {}
        for file in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns):
            found |= dict.fromkeys(json.loads(file.read_text("utf-8")))
        own = request.get("package")
        self._learned.isolation = str(request.get("isolation"))
        self._learned.tracking = bool(request.get("tracking"))
        self._learned.add(self._command, [name for name in found if name.partition(".")[0] != own])
        self._learned.write()
        shutil.rmtree(folder)


def _import_kfp() -> None:
    """Import what runs pipelines, without KFP's client for servers, and so without Kubernetes' and Google's.

    KFP has the variable for its own steps, and looks at it at this import alone; in this process nobody else imports it.
    """
    given = os.environ.get(_WITHOUT_CLIENT)
    os.environ[_WITHOUT_CLIENT] = "true"
    try:
        importlib.import_module("kfp")
    finally:
        del os.environ[_WITHOUT_CLIENT]
        os.environ.update({_WITHOUT_CLIENT: given} if given is not None else {})
    for name in ("kfp.local", "kfp.components"):
        importlib.import_module(name)


def _end_with_parent() -> None:
    """End the whole process group when the other end of standard input is gone."""
    # The plain descriptor: a buffered reader that a thread sits in cannot be closed when the interpreter ends.
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _told() -> tuple[Path, dict[str, str]]:
    """Wait to be told the folder of the run and the environment, a line on standard input; without it there is nothing to do."""
    line = b""
    while not line.endswith(b"\n"):
        received = os.read(0, 1 << 16)
        if not received:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        line += received
    told = json.loads(line)
    return Path(told["folder"]), told["environ"]


def main(project: Path, command: str) -> int:
    """Wait for a request, and run it."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    standby = Standby(project, command)
    folder, environ = _told()
    os.environ.clear()
    os.environ.update(environ)
    noise = (folder / LOG).open("a", encoding="utf-8")
    # What was said until now went to a file of no name.
    noise.write(os.pread(2, 1 << 20, 0).decode("utf-8", "replace"))
    noise.flush()
    os.dup2(noise.fileno(), 1)
    os.dup2(noise.fileno(), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return standby.run(folder, events)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
