"""``python -m kedro_kubeflow.targets.local.worker REQUEST``: the process that kfp.local runs in.

A process of its own, since kfp.local rewires logging and printing of the process that it runs in, and so that everything
that a run has started can be ended at once: the worker leads a process group, and ends it when whoever started it is
gone. Events go out as JSON lines; what kfp and the steps print goes to files.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from kedro_kubeflow.contract import LOCAL_ENV, RUN_ID_ENV, STATES_FILE, VOLUME_ENV, StepCall, runtime_arguments
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.names import task_name
from kedro_kubeflow.targets.local.adapter import adapted, execute
from kedro_kubeflow.targets.local.isolated import pod

VOLUME = "volume"
"""The run's volume, in the run's folder."""
MOUNT = "/kedro-volume"
"""Where Docker's containers have it."""
ARTIFACTS, IMAGE, PODS = "artifacts", "image", "pods"
"""In the run's folder: what steps make; for isolated steps, what each starts with, and where each works."""


class Worker:
    """One run.

    ``request.json`` in the run's folder says what: ``run_id``, ``runner``, ``project`` (the working directory of the
    steps), ``environ`` (for every step), ``cache`` (the folder of results of cached steps, or null), ``volume`` (whether the
    steps share one), ``isolated`` (whether each works in a folder of its own, a copy of the run's ``image``).
    """

    def __init__(self, folder: Path, events: IO[str]) -> None:
        self._folder, self._events = folder, events
        self._states: dict[str, str] = {}
        self._request = json.loads((folder / "request.json").read_text("utf-8"))

    def run(self) -> int:
        """Run the pipeline; 0 where it succeeded."""
        request = self._request
        try:
            mounts = {str(self._folder / VOLUME): MOUNT} if request.get("volume") else {}
            with adapted(
                request["runner"], request["run_id"], self._run_task, self._report, hit=self._from_cache, mounts=mounts
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
            self._emit(event="error", text=str(self._told(error)))
            return 1
        return 0

    def _told(self, error: Exception) -> KedroKubeflowError:
        line, where = f"{type(error).__name__}: {error}", str(self._folder / "kfp.log")
        if type(error).__module__.startswith("docker"):
            cure = "start Docker and see that this user may use it, or run the steps as processes: --local"
            return KedroKubeflowError(f"Docker cannot run the step: {line}", where=where, cure=cure)
        return KedroKubeflowError(f"kfp cannot run the compiled pipeline here: {line}", where=where)

    def _report(self, command: list[str], run: Callable[[], bool]) -> bool:
        call, executor_input = StepCall.from_argv(runtime_arguments(command))
        since = time.monotonic()
        self._emit(event="started", step=call.step, log=str(self._log(call)), outputs=_outputs(call, executor_input))
        succeeded = run()
        self._states[call.step] = "succeeded" if succeeded else "failed"
        (self._folder / STATES_FILE).write_text(json.dumps(self._states), "utf-8")
        self._emit(event="ended", step=call.step, succeeded=succeeded, seconds=time.monotonic() - since)
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
        with self._log(call).open("a", encoding="utf-8") as log:
            done = subprocess.run(
                python,
                cwd=project,
                env={**os.environ, **self._environ(env)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return done.returncode == 0

    def _environ(self, env: Mapping[str, str]) -> dict[str, str]:
        own = {LOCAL_ENV: str(self._folder), RUN_ID_ENV: self._request["run_id"]}
        if self._request.get("volume"):
            inside = self._request["runner"] == "docker"
            own[VOLUME_ENV] = MOUNT if inside else str(self._folder / VOLUME)
        # Kedro's log is made for terminals; in a file there is room.
        return {"COLUMNS": "160", **self._request["environ"], **env, **own}

    def _log(self, call: StepCall) -> Path:
        logs = self._folder / "logs"
        logs.mkdir(exist_ok=True)
        return logs / f"{task_name(call.step)}.log"

    def _emit(self, **event: Any) -> None:
        print(json.dumps(event), file=self._events, flush=True)


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


def _end_with_parent() -> None:
    """End the whole process group when the other end of standard input is gone."""
    # The plain descriptor: a buffered reader that a thread sits in cannot be closed when the interpreter ends.
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main(folder: Path) -> int:
    """Run the request in a folder."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    noise = (folder / "kfp.log").open("a", encoding="utf-8")
    os.dup2(noise.fileno(), 1)
    os.dup2(noise.fileno(), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return Worker(folder, events).run()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
