"""Plan → KFP IR; pure functions of plain values, which decide nothing.

Compiling writes the messages of KFP's IR directly, one function a message, rather than tracing a function through ``kfp.dsl``:
it needs no part of the SDK, names stay ours, and the time is linear. Tests read the result into the official messages
(``kfp-pipeline-spec``), and compare it with what ``kfp.compiler`` makes of the same pipeline written by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_kubeflow.compiler.package import CompiledPipeline

if TYPE_CHECKING:
    from kedro_kubeflow.plan import Plan

__all__ = ["CompiledPipeline", "compile_plan"]


def compile_plan(plan: Plan) -> CompiledPipeline:
    """Translate a plan; the same plan gives the same bytes."""
    # A compiled pipeline is spoken of where nothing is compiled.
    from kedro_kubeflow.compiler.pipeline import translate

    return translate(plan)
