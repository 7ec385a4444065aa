"""Kedro's thread and process runners for the nodes of one step, with errors that know where they were raised.

https://docs.kedro.org/en/stable/build/run_a_pipeline/#multiprocessing
"""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import active_children, get_context
from types import TracebackType
from typing import Any, Literal

from kedro.framework.project import settings
from kedro.runner import ParallelRunner, ThreadRunner

from kedro_kubeflow.runtime.watch import Place, Watch, mark


def step_runner(kind: Literal["thread", "parallel"], watch: Watch, max_workers: int | None = None) -> Any:
    """The runner of a step's nodes.

    Args:
        watch: knows where each thread is.
        max_workers: how many nodes run at once; None is Kedro's own choice.
    """
    if kind == "thread":
        return _ThreadRunner(watch, max_workers)
    return _ParallelRunner(max_workers=max_workers)


class _ThreadRunner(ThreadRunner):
    def __init__(self, watch: Watch, max_workers: int | None) -> None:
        super().__init__(max_workers=max_workers)
        self._watch = watch

    def _get_executor(self, max_workers: int) -> Executor:
        return _Threads(self._watch, max_workers)


class _ParallelRunner(ParallelRunner):
    def _get_executor(self, max_workers: int) -> Executor:
        return _Processes(max_workers=max_workers, mp_context=get_context(_context()))


def _context() -> str | None:
    named = os.environ.get("KEDRO_MP_CONTEXT")
    return named if named in ("fork", "spawn", "forkserver") else None


class _Threads(ThreadPoolExecutor):
    """Threads that mark what is raised in them; when the step is told to end, nobody waits for them."""

    def __init__(self, watch: Watch, max_workers: int) -> None:
        super().__init__(max_workers=max_workers)
        self._watch = watch

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(self._marked, fn, *args, **kwargs)

    def _marked(self, task: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return task(*args, **kwargs)
        except BaseException as error:
            mark(error, self._watch.place)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(wait=not _is_told_to_end(kind), cancel_futures=_is_told_to_end(kind))


class _Processes(ProcessPoolExecutor):
    """Processes, likewise; when the step is told to end, they are ended."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(_InProcess(fn), *args, **kwargs)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if _is_told_to_end(kind):
            for child in active_children():
                child.kill()
        self.shutdown(wait=not _is_told_to_end(kind), cancel_futures=_is_told_to_end(kind))


def _is_told_to_end(kind: type[BaseException] | None) -> bool:
    """Whether what is raised is no error of a node: a signal, as a rule."""
    return kind is not None and not issubclass(kind, Exception)


class _InProcess:
    """A task of Kedro's in a process of its own, that says where it failed.

    Kedro gives such a process a catalog of its own and hooks that it registers anew; the step's own watch has nothing to
    see there.
    """

    def __init__(self, task: Any) -> None:
        self._task = task

    def __call__(self) -> Any:
        settings.set("HOOKS", tuple(hook for hook in settings.HOOKS if not isinstance(hook, Watch)))
        catalog, name = self._task.catalog, self._task.node.name
        seen: dict[str, str] = {}
        catalog.load = _noting(catalog.load, "loading", seen)
        catalog.save = _noting(catalog.save, "saving", seen)
        try:
            return self._task()
        except BaseException as error:
            mark(error, Place(name, **seen))
            raise


def _noting(method: Any, phase: str, seen: dict[str, str]) -> Any:
    def noting(name: str, *args: Any, **kwargs: Any) -> Any:
        seen[phase] = name
        done = method(name, *args, **kwargs)
        del seen[phase]
        return done

    return noting
