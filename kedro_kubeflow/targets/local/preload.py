"""What the fork server imports before it becomes steps: libraries that steps import, and never the project's own code.

Imported are Kedro and the runtime, kedro-mlflow, the modules of the catalog's dataset types, and what the steps of earlier runs
were seen to import from site-packages.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import json
import os
import sys
import sysconfig
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

# Not the runtime's `__main__`, which each step executes anew.
RUNTIME = (
    "kedro_kubeflow.runtime.attempts",
    "kedro_kubeflow.runtime.step",
    "kedro.framework.session",
    "kedro.framework.startup",
    "kedro.io",
    "kedro.runner",
)
TRACKING = ("kedro_mlflow.framework.hooks", "kedro_kubeflow.runtime.tracked", "kedro_kubeflow.runtime.exit")
_DATASET_PREFIXES = ("", "kedro.io.", "kedro_datasets.")
_NO_LOGGING = '{"version": 1, "disable_existing_loggers": false}'


def prepare_process(project: str) -> None:
    """Let what is imported see nothing of the project: none of its folders, no logging configuration."""
    sys.path[:] = [path for path in sys.path if not _is_of(project, path)]
    os.chdir("/")
    # What steps set before they import anything.
    importlib.import_module("kedro_kubeflow.runtime.quiet").quiet()
    importlib.import_module("kedro_kubeflow.runtime.entry_points").read_once()
    importlib.import_module("kedro_kubeflow.runtime.late").import_late()
    # Kedro configures logging when it is imported; each step does that anew, where it is.
    with _file_with(_NO_LOGGING) as config:
        given = os.environ.pop("KEDRO_LOGGING_CONFIG", None)
        os.environ["KEDRO_LOGGING_CONFIG"] = config
        importlib.import_module("kedro.framework.project")
    del os.environ["KEDRO_LOGGING_CONFIG"]
    if given is not None:
        os.environ["KEDRO_LOGGING_CONFIG"] = given


def _is_of(project: str, path: str) -> bool:
    inside = Path(path).is_relative_to(project) or not path
    return inside and path not in _site_folders() and not Path(__file__).is_relative_to(path or "/nowhere")


@contextlib.contextmanager
def _file_with(text: str) -> Iterator[str]:
    descriptor = os.memfd_create("logging")
    os.write(descriptor, text.encode())
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def import_module(name: str) -> None:
    """Import a module, if it is a library's or ours."""
    if name in sys.modules:
        return
    if name in RUNTIME + TRACKING or is_library(name):
        importlib.import_module(name)


def import_type(name: str) -> None:
    """Import the module of a dataset type, such as ``pandas.CSVDataset``."""
    for prefix in _DATASET_PREFIXES:
        module, _, attribute = f"{prefix}{name}".rpartition(".")
        if module and is_library(module):
            with contextlib.suppress(ImportError):
                # Packages of kedro-datasets load a module when its class is asked for.
                if hasattr(importlib.import_module(module), attribute):
                    return


def is_library(name: str) -> bool:
    """Whether a module lies in site-packages."""
    top = name.partition(".")[0]
    return top == "kedro" or importlib.machinery.PathFinder.find_spec(top, _site_folders()) is not None


def settle() -> None:
    """Do once what each step would do: ask for plugins, and make a first request to a database of MLflow's."""
    importlib.import_module("kedro_kubeflow.runtime.entry_points").read_now()
    if "mlflow.store.tracking.dbmodels.models" in sys.modules:
        from sqlalchemy.orm import configure_mappers

        configure_mappers()


def write_imported(file: str, before: Collection[str]) -> None:
    """In a step: write which libraries' modules it has imported by itself, in their order."""
    folders = tuple(f"{folder}{os.sep}" for folder in _site_folders())
    found = []
    for name, module in list(sys.modules.items()):
        if name in before:
            continue
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if isinstance(origin, str) and origin.startswith(folders):
            found.append(name)
    if found:
        Path(file).write_text(json.dumps(found), "utf-8")


def _site_folders() -> list[str]:
    """Where libraries are installed: the interpreter's own folders, and others that are called like them."""
    own = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    more = (path for path in (*sys.path, *os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    return list(
        dict.fromkeys([*own, *(path for path in more if Path(path).name in ("site-packages", "dist-packages"))])
    )


class Learned:
    """What is known of a project's steps from earlier runs, in one file; another environment's counts for nothing.

    Attributes:
        unfit: module → why it must not be preloaded.
        tracking: whether the last run had an MLflow run; None where there was no run.
        isolation: ``local.isolation`` of the last run.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        known = _read(file)
        known = known if known.get("environment") == _environment() else {}
        self._modules: dict[str, list[str]] = dict(known.get("modules") or {})
        self.unfit: dict[str, str] = dict(known.get("unfit") or {})
        self.tracking: bool | None = known.get("tracking")
        self.isolation = str(known.get("isolation", "fork"))

    def modules(self, command: str) -> list[str]:
        """What to preload for a command; for one that never ran, what all others need."""
        runs = list(self._modules.values())
        found = self._modules.get(command)
        if found is None:
            found = [name for name in runs[-1] if all(name in run for run in runs)] if runs else []
        return [name for name in found if self.is_fit(name)]

    def is_fit(self, name: str) -> bool:
        """Whether a module may be preloaded, as far as it is known."""
        return not any(name == bad or name.startswith(f"{bad}.") for bad in self.unfit)

    def add(self, command: str, modules: Collection[str]) -> None:
        """Take note of what steps have imported by themselves."""
        known = self._modules.pop(command, [])
        self._modules[command] = [*known, *(name for name in modules if name not in set(known))][:_MOST_MODULES]
        for old in list(self._modules)[:-_MOST_COMMANDS]:
            del self._modules[old]

    def write(self) -> None:
        """Write it down; a file that cannot be written costs time in the next run, and nothing else."""
        text = json.dumps(
            {
                "environment": _environment(),
                "isolation": self.isolation,
                "tracking": self.tracking,
                "unfit": self.unfit,
                "modules": self._modules,
            }
        )
        temporary = self._file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            temporary.write_text(text, "utf-8")
            temporary.replace(self._file)


_MOST_MODULES, _MOST_COMMANDS = 5_000, 10


def _read(file: Path) -> dict[str, Any]:
    try:
        known = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _environment() -> list[object]:
    """What changes whenever something is installed."""
    times = [folder.stat().st_mtime_ns for folder in map(Path, _site_folders()) if folder.is_dir()]
    return [sys.executable, sys.version, times]
