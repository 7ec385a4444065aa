"""The guarded seam to kfp.local, whose subprocess runner refuses container components.

It looks its task handlers up by name when a task is dispatched; for the time of a run, ours stand there: they start the
component's command as a process (or, for Docker, do what KFP's own does) and report.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from kedro_kubeflow.errors import DependencyError

Runner = Literal["subprocess", "docker"]
RunTask = Callable[[list[str], Mapping[str, str]], bool]
Report = Callable[[list[str], Callable[[], bool]], bool]

_TRIED = "2.17"


@contextmanager
def adapted(runner: Runner, run_id: str, run_task: RunTask, report: Report) -> Iterator[None]:
    """Let kfp.local run container components, and hear of each task.

    Args:
        run_id: what ``{{$.pipeline_job_uuid}}`` stands for in this run.
        run_task: runs a command with further environment variables; says whether it succeeded.
        report: is given a task's command and the function that runs it.

    Raises:
        DependencyError: this version of kfp is not as the adapter knows it, or Docker's client is missing.
    """
    from kfp.local import placeholder_utils

    module, name = _handler_module(runner)
    original = _expect(module, name)
    random_id = _expect(placeholder_utils, "make_random_id")
    _expect_signature(original)
    handler = _container_handler(original, run_task) if runner == "subprocess" else original
    setattr(module, name, _observed(handler, report))
    placeholder_utils.make_random_id = lambda: run_id
    try:
        yield
    finally:
        setattr(module, name, original)
        placeholder_utils.make_random_id = random_id


def execute(pipeline: Path, runner: Runner, pipeline_root: Path, docker_options: Mapping[str, Any]) -> None:
    """Run a compiled pipeline file with its default inputs.

    Raises:
        RuntimeError: a task failed, in KFP's words.
    """
    from kfp import components, local

    chosen = local.SubprocessRunner(use_venv=False) if runner == "subprocess" else local.DockerRunner(**docker_options)
    local.init(chosen, pipeline_root=str(pipeline_root), raise_on_error=True)
    components.load_component_from_file(str(pipeline))()


def _handler_module(runner: Runner) -> tuple[Any, str]:
    if runner == "subprocess":
        from kfp.local import subprocess_task_handler

        return subprocess_task_handler, "SubprocessTaskHandler"
    try:
        from kfp.local import docker_task_handler
    except ImportError as error:
        raise DependencyError(
            "Running steps in Docker needs Docker's client for Python",
            cure="pip install docker, or use --local without docker",
        ) from error
    return docker_task_handler, "DockerTaskHandler"


def _expect(module: Any, name: str) -> Any:
    if not hasattr(module, name):
        raise _unknown_kfp(f"{module.__name__}.{name} is gone")
    return getattr(module, name)


def _expect_signature(handler: Any) -> None:
    known = {"image", "full_command", "pipeline_root", "runner"}
    missing = known - set(inspect.signature(handler.__init__).parameters)
    if missing:
        raise _unknown_kfp(f"{handler.__name__} no longer takes {', '.join(sorted(missing))}")


def _unknown_kfp(what: str) -> DependencyError:
    import kfp

    return DependencyError(
        f"kfp {kfp.__version__} runs pipelines locally in a way that this version of kedro-kubeflow does not know: {what}",
        cure=f"install a kfp that was tried (kfp {_TRIED}), or a newer kedro-kubeflow; compiling and uploading still work",
    )


def _container_handler(original: Any, run_task: RunTask) -> Any:
    class ContainerHandler(original):  # type: ignore[misc]
        """Starts a container component's command as a process of this machine."""

        def validate_image(self, image: str) -> None:
            """Any image: its command runs in this interpreter's environment."""

        def validate_not_container_component(self, full_command: list[str]) -> None:
            """Container components are what we run."""

        def run(self) -> Any:
            from kfp.local import status

            succeeded = run_task(list(self.full_command), getattr(self, "env_vars", None) or {})
            return status.Status.SUCCESS if succeeded else status.Status.FAILURE

    return ContainerHandler


def _observed(handler: Any, report: Report) -> Any:
    class ObservedHandler(handler):  # type: ignore[misc]
        """Reports a task around its run."""

        def run(self) -> Any:
            from kfp.local import status

            run = super().run
            succeeded = report(list(self.full_command), lambda: run() == status.Status.SUCCESS)
            return status.Status.SUCCESS if succeeded else status.Status.FAILURE

    return ObservedHandler
