"""What MLflow imports with itself and hardly a step uses: its part for language models, and what that needs.

MLflow loads most of its flavors when they are first used (``mlflow.utils.lazy_load``), and this one always, a fifth of all
that a step imports. Here it is loaded like the others: when something of it is asked for, or one of its modules imported.
"""

from __future__ import annotations

import importlib.machinery
import sys
import threading
from collections.abc import Collection, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

LATE = frozenset({"mlflow.genai", "mlflow.gateway"})
_lock = threading.RLock()


def import_late(names: Collection[str] = LATE) -> None:
    """Let packages be loaded when they are first used, from now on, in this process and its forks."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(names))


class _Finder:
    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        if name in self._names:
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            if spec is not None and spec.loader is not None:
                spec.loader = _Later(spec.loader)
            return spec
        parent = sys.modules.get(".".join(name.split(".")[:2]))
        if isinstance(parent, _Package):
            # The package itself comes before what is in it, as it always does.
            _load(parent)
        return None


class _Later(Loader):
    """Makes a package that is not loaded yet."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Package(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: see ``_load``."""


class _Package(ModuleType):
    """A package until it is loaded; then it is a module like any other."""

    def __getattr__(self, name: str) -> Any:
        # What importing asks for by itself, before it is set.
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        _load(self)
        return getattr(self, name)


def _load(module: ModuleType) -> None:
    with _lock:
        spec = module.__spec__
        if not isinstance(module, _Package) or spec is None or not isinstance(spec.loader, _Later):
            return
        loader = spec.loader.loader
        # What its own modules ask of it while it is being loaded is there, or it is not.
        module.__class__ = ModuleType  # type: ignore[assignment]
        module.__loader__ = spec.loader = loader
        try:
            loader.exec_module(module)
        except BaseException:
            # As if its import had failed: it may be tried again.
            parent, _, own = spec.name.rpartition(".")
            if sys.modules.pop(spec.name, None) is module and getattr(sys.modules.get(parent), own, None) is module:
                delattr(sys.modules[parent], own)
            raise
