"""Run Kedro projects on Kubeflow Pipelines v2."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro_kubeflow.api import (
        CompiledPipeline,
        KedroKubeflowError,
        LocalRun,
        PipelineRun,
        compile_project,
        run,
        run_here,
    )

__version__ = "1.0.0"

__all__ = [
    "CompiledPipeline",
    "KedroKubeflowError",
    "LocalRun",
    "PipelineRun",
    "compile_project",
    "run",
    "run_here",
]


def __getattr__(name: str) -> Any:
    # Kedro imports this package at every `kedro` command, so the API, and kfp with it, is loaded when it is used.
    if name in __all__:
        return getattr(importlib.import_module("kedro_kubeflow.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
