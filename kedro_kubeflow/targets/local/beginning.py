"""The beginning of a run on this machine, before the project is opened: imports take longer than compiling."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kedro_kubeflow import standard_output
from kedro_kubeflow.runtime.late import import_late
from kedro_kubeflow.targets.local import standby


@contextmanager
def beginning() -> Iterator[None]:
    """Have a process for the run while the block runs; afterwards it is gone, also where there was nothing to run."""
    if root := _project():
        standby.begin(root, sys.argv[1:])
    try:
        yield
    finally:
        standby.give_up()


def begin_early() -> None:
    """Begin while Kedro itself starts, if the command line is that of a run on this machine.

    For each command of ours, standard output is kept for its result, and what MLflow imports with itself and commands do not use
    is left for later. Kedro calls this by the entry point ``kedro.init`` (https://docs.kedro.org/en/stable/extend/plugins/).
    """
    words = sys.argv[1:]
    if words[:1] == ["kubeflow"]:
        # Before the project is imported, which may print.
        standard_output.keep()
        import_late()
    is_here = "--local" in words and not {"--help", "-h", "docker"} & set(words)
    if words[:2] != ["kubeflow", "run-once"] or not is_here:
        return
    # What cannot be read or started now is said when the command itself needs it.
    with suppress(OSError):
        if root := _project():
            standby.begin(root, words)


def _project() -> Path | None:
    """The project that the working folder is in, by the same mark as Kedro's."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and "[tool.kedro]" in file.read_text("utf-8", errors="replace"):
            return folder
    return None
