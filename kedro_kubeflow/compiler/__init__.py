"""Dag and configuration → KFP IR; pure functions of plain values.

Compiling fills the official messages of KFP's IR (``kfp-pipeline-spec``) directly, one function a message, rather than
tracing a function through ``kfp.dsl``: it needs no private part of the SDK, names stay ours, and the time is linear. A
test compares the result, message by message, with what ``kfp.compiler`` makes of the same pipeline written by hand.
"""

from kedro_kubeflow.compiler.package import CompiledPipeline
from kedro_kubeflow.compiler.pipeline import compile_pipeline
from kedro_kubeflow.plan.frame import Exit, Frame

__all__ = ["CompiledPipeline", "Exit", "Frame", "compile_pipeline"]
