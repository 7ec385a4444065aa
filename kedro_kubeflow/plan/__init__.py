"""Facts and configuration → everything that is decided of a pipeline, in one frozen value."""

from kedro_kubeflow.plan.make import make_plan
from kedro_kubeflow.plan.plan import Plan

__all__ = ["Plan", "make_plan"]
