"""The guarded seam to kfp.local, whose subprocess runner refuses container components.

It looks its task handlers up by name when a task is dispatched; for the time of a run, ours stand there: they start the
component's command as a process (or, for Docker, do what KFP's own does) and report.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from kedro_kubeflow.errors import DependencyError
from kedro_kubeflow.targets.local.dag import Orchestrator

Runner = Literal["subprocess", "docker"]
RunTask = Callable[[list[str], Mapping[str, str]], bool]
Report = Callable[[list[str], Callable[[], bool]], bool]
Hit = Callable[[list[str], Mapping[str, Any]], None]

_TRIED = "2.17"


@contextmanager
def adapted(
    runner: Runner,
    run_id: str,
    run_task: RunTask,
    report: Report,
    *,
    hit: Hit = lambda _command, _outputs: None,
    mounts: Mapping[str, str] | None = None,
    max_parallel: int | None = None,
) -> Iterator[None]:
    """Let kfp.local run container components, and hear of each task.

    Args:
        run_id: what ``{{$.pipeline_job_uuid}}`` stands for in this run.
        run_task: runs a command with further environment variables; says whether it succeeded.
        report: is given a task's command and the function that runs it.
        hit: is given the command of a task whose result comes from the cache, and that result.
        mounts: for Docker: folder of this machine → folder in the containers.
        max_parallel: how many tasks may run at once, where they do not wait for each other; None leaves the order to
            kfp.local, which runs one after the other.

    Raises:
        DependencyError: this version of kfp is not as the adapter knows it, or Docker's client is missing.
    """
    from kfp.local import cache, placeholder_utils

    module, name = _handler_module(runner)
    original = _expect(module, name)
    random_id = _expect(placeholder_utils, "make_random_id")
    _expect_signature(original)
    local_cache = _expect(cache, "LocalCache")
    handler = _container_handler(original, run_task) if runner == "subprocess" else _mounting(original, mounts or {})
    setattr(module, name, _observed(handler, report))
    placeholder_utils.make_random_id = lambda: run_id
    cache.LocalCache = _observed_cache(local_cache, hit)
    try:
        with _side_by_side(max_parallel) if max_parallel else nullcontext():
            yield
    finally:
        setattr(module, name, original)
        placeholder_utils.make_random_id = random_id
        cache.LocalCache = local_cache


def execute(
    pipeline: Path,
    runner: Runner,
    pipeline_root: Path,
    docker_options: Mapping[str, Any],
    *,
    cache_root: Path | None = None,
) -> None:
    """Run a compiled pipeline file with its default inputs.

    Args:
        cache_root: where results of cached tasks are kept; None for no cache.

    Raises:
        RuntimeError: a task failed, in KFP's words.
    """
    from kfp import components, local

    chosen = local.SubprocessRunner(use_venv=False) if runner == "subprocess" else local.DockerRunner(**docker_options)
    cached: dict[str, Any] = {"enable_caching": True, "cache_root": str(cache_root)} if cache_root else {}
    local.init(chosen, pipeline_root=str(pipeline_root), raise_on_error=True, **cached)
    components.load_component_from_file(str(pipeline))()


@contextmanager
def _side_by_side(max_parallel: int) -> Iterator[None]:
    """Let our orchestrator stand where kfp.local looks for its two."""
    from kfp.local import logging_utils
    from kfp.local.orchestrator import dag_orchestrator, enhanced_dag_orchestrator

    ours = Orchestrator(_kfp_functions(), max_parallel)
    places = [
        (enhanced_dag_orchestrator, "run_enhanced_dag", ours.run_enhanced_dag),
        (dag_orchestrator, "run_dag", ours.run_dag),
        # They change what is the whole process's, and put back what another thread has put there.
        (logging_utils, "local_logger_context", nullcontext),
        (logging_utils, "indented_print", nullcontext),
    ]
    originals = [_expect(module, name) for module, name, _ in places]
    with logging_utils.local_logger_context():
        for module, name, replacement in places:
            setattr(module, name, replacement)
        try:
            yield
        finally:
            for (module, name, _), original in zip(places, originals, strict=True):
                setattr(module, name, original)


def _kfp_functions() -> SimpleNamespace:
    """What our orchestrator takes from kfp.local."""
    from kfp.local import graph_utils, io, status
    from kfp.local.orchestrator import enhanced_dag_orchestrator, orchestrator_utils
    from kfp.pipeline_spec import pipeline_spec_pb2

    utils = _expect(orchestrator_utils, "OrchestratorUtils")
    policy = pipeline_spec_pb2.PipelineTaskSpec.TriggerPolicy.TriggerStrategy
    return SimpleNamespace(
        IOStore=_expect(io, "IOStore"),
        SUCCESS=status.Status.SUCCESS,
        FAILURE=status.Status.FAILURE,
        ALL_UPSTREAM_TASKS_COMPLETED=policy.ALL_UPSTREAM_TASKS_COMPLETED,
        topological_sort_tasks=_expect(graph_utils, "topological_sort_tasks"),
        join_user_inputs_and_defaults=_expect(utils, "join_user_inputs_and_defaults"),
        get_dag_outputs=_expect(utils, "get_dag_outputs"),
        has_task_final_status_input=_expect(enhanced_dag_orchestrator, "_has_task_final_status_input"),
        run_enhanced_dag=_expect(enhanced_dag_orchestrator, "run_enhanced_dag"),
        # For a task that is a DAG it calls `run_enhanced_dag` by its name, which is ours then.
        execute_task=_expect(enhanced_dag_orchestrator, "execute_task"),
    )


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


def _mounting(handler: Any, mounts: Mapping[str, str]) -> Any:
    class MountingHandler(handler):  # type: ignore[misc]
        """Mounts further folders into each container."""

        def get_volumes_to_mount(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            own: dict[str, Any] = super().get_volumes_to_mount(*args, **kwargs)
            modes = [volume["mode"] for volume in own.values()] or ["rw"]
            return {**own, **{here: {"bind": there, "mode": modes[0]} for here, there in mounts.items()}}

    return MountingHandler


def _observed_cache(local_cache: Any, hit: Hit) -> Any:
    class ObservedCache(local_cache):  # type: ignore[misc]
        """Tells of each task whose result it has."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._commands: dict[str, list[str]] = {}

        def compute_key(self, *args: Any, **kwargs: Any) -> str:
            key = str(super().compute_key(*args, **kwargs))
            self._commands[key] = list(kwargs.get("full_command") or ())
            return key

        def get(self, key: str) -> Any:
            found = super().get(key)
            if found is not None and self._commands.get(key):
                hit(self._commands[key], found)
            return found

    return ObservedCache


def _observed(handler: Any, report: Report) -> Any:
    class ObservedHandler(handler):  # type: ignore[misc]
        """Reports a task around its run."""

        def run(self) -> Any:
            from kfp.local import status

            run = super().run
            if not self.full_command:
                # What KFP's backend does by itself, without a pod: nothing is to be done for it here.
                return status.Status.SUCCESS
            succeeded = report(list(self.full_command), lambda: run() == status.Status.SUCCESS)
            return status.Status.SUCCESS if succeeded else status.Status.FAILURE

    return ObservedHandler
