"""Starts pods' processes quickly: all that a step imports is imported once, and each pod is a fork of that.

Reads one JSON object per line (``module``, ``argv``, ``cwd``, ``env``, ``log``), prints the new process's id, and writes its exit
code to ``LOG.exit`` when it has ended. A pod is a process like any other: it can be killed, and its exit handlers run.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

PRELOADED = [
    *("kedro.framework.session", "kedro.framework.cli.cli", "kedro.io", "kedro.runner", "omegaconf", "cloudpickle"),
    *("kedro_datasets.pickle.pickle_dataset", "kedro_datasets.json.json_dataset", "kedro_datasets.text.text_dataset"),
    *("kedro_mlflow.framework.hooks.mlflow_hook", "mlflow.store.tracking.rest_store", "pandas", "sklearn.linear_model"),
    *("kedro_kubeflow.runtime.frame", "kedro_kubeflow.runtime.step", "kedro_kubeflow.runtime.tracked"),
    *("kedro_kubeflow.prepared", "kedro_kubeflow.cli", "kfp.compiler"),
]
LOGS: dict[int, str] = {}


def reap(*_: Any) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        done = Path(f"{LOGS[pid]}.exit.new")
        done.write_text(str(os.waitstatus_to_exitcode(status)))
        done.rename(f"{LOGS[pid]}.exit")


def serve(answers: Any) -> dict[str, Any] | None:
    """Fork for each request; only a fork returns, with what it has to do."""
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = os.fork()
        if pid == 0:
            return request
        LOGS[pid] = request["log"]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        print(pid, file=answers, flush=True)
    return None


def become(request: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.path.insert(0, request["cwd"])
    sys.argv = [request["module"], *request["argv"]]
    out = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(source, target)


if __name__ == "__main__":
    # Kedro logs to standard output as soon as it is imported.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, reap)
    if (wanted := serve(replies)) is not None:
        become(wanted)
        runpy.run_module(wanted["module"], run_name="__main__", alter_sys=True)
