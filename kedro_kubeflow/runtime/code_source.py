"""Where a task has the code from that travels with the run.

Most are given it as an artifact. The first task makes that artifact: of text in its own arguments, of parts that other runs have
carried, or of what lies in MLflow. MLflow is asked in a process of its own, which needs the image's project to be let in: Kedro
can be set up for one project in a process, and here that is to be the one that travels.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kedro_kubeflow.contract import CODE, EXECUTOR_INPUT, StepCall
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.results.artifact import line_of
from kedro_kubeflow.results.spec import made_by
from kedro_kubeflow.runtime.code import project_from
from kedro_kubeflow.runtime.executor import Executor


@contextmanager
def project_code(call: StepCall, executor: Executor) -> Iterator[None]:
    """Work in a folder made from the code, and hand it on where that is this task's part.

    Raises:
        StepError: the code is not to be had, or is refused.
    """
    if call.action in ("finish", "fetch"):
        # What closes the run needs no code of the project's; the exit pipeline is a step of its own.
        yield
        return
    content = _content(call, executor)
    _hand_on(content, call, executor)
    if (call.settings.get("code") or {}).get("portion"):
        # A part of an archive is none; whoever puts them together looks at the whole.
        yield
        return
    with project_from(content, call.code):
        yield


def _hand_on(content: bytes, call: StepCall, executor: Executor) -> None:
    """Make it an artifact, where that is this task's part, and say where that will lie."""
    for artifact in call.outputs:
        if artifact.how == "code":
            path = executor.output_path(artifact.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            kind = executor.output_type(artifact.name).removeprefix("system.")
            print(line_of(made_by(call, artifact, kind, executor.output_uri(artifact.name))), flush=True)


def code_bytes(call: StepCall, executor: Executor) -> bytes:
    """The code, once more."""
    hands_on = any(artifact.how == "code" for artifact in call.outputs)
    return (executor.output_path(CODE) if hands_on else executor.input_path(CODE)).read_bytes()


def fetch(call: StepCall, executor: Executor) -> None:
    """Bring code from the MLflow server that the image's project is set up for."""
    from kedro_kubeflow.runtime.session import open_for, session_for, tracked_context
    from kedro_kubeflow.tracking.code import fetch_code
    from kedro_kubeflow.tracking.server import client, tracking_errors

    with tracking_errors(), session_for(open_for(call, executor)) as session:
        tracked_context(session)
        content = fetch_code(client(), str(call.settings["run"]), str(call.code))
    Path(call.settings["to"]).write_bytes(content)


def _content(call: StepCall, executor: Executor) -> bytes:
    source = call.settings.get("code") or {}
    if "inline" in source:
        return base64.b64decode(source["inline"])
    if "mlflow" in source:
        return _from_mlflow(call, executor, str(source["mlflow"]))
    parts = source.get("parts") or (CODE,)
    return b"".join(executor.input_path(part).read_bytes() for part in parts)


def _from_mlflow(call: StepCall, executor: Executor, run_id: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "code"
        told = {name: value for name, value in call.settings.items() if name == "dynamic_config"}
        child = replace(
            call,
            action="fetch",
            outputs=(),
            inputs=(),
            nodes=(),
            tracking=True,
            settings={**told, "run": run_id, "to": str(file)},
        )
        argv = child.to_argv()
        argv[0], argv[argv.index(EXECUTOR_INPUT)] = sys.executable, executor.text({})
        code = subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode
        if code or not file.is_file():
            raise StepError(
                f"The code of this run could not be brought from MLflow (exit code {code}); the reason stands above",
                where=f"MLflow run {run_id}, artifact code/",
                cure="choose another place for it with `code.store` in kubeflow.yml",
            )
        return file.read_bytes()
