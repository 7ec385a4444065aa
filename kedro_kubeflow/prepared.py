"""Read, plan, compile: a request → a compiled pipeline and what it was made from. Offline: no token, no cluster, no image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.compiler import CompiledPipeline, compile_plan
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.plan import Plan, make_plan
from kedro_kubeflow.project.facts import Facts, read_project
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.request import Request
from kedro_kubeflow.targets.vertexai.adapt import for_vertex


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A compiled pipeline and what it was made from."""

    facts: Facts
    config: KubeflowConfig
    plan: Plan
    compiled: CompiledPipeline

    @property
    def project(self) -> OpenProject:
        """The project."""
        return self.facts.project

    @property
    def target(self) -> str:
        """Where it is to run."""
        return self.plan.target

    @property
    def tracking(self) -> bool:
        """Whether there is an MLflow run."""
        return self.plan.tracking

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The Kedro parameters, overrides merged in: what a run's name may be made of."""
        return self.facts.parameters.values


def prepare(request: Request) -> Prepared:
    """Open the project, read its configuration, decide, compile.

    Raises:
        ProjectError: the project, the pipeline, a node or a parameter is not there.
        ConfigError: kubeflow.yml, the catalog or the parameters are wrong.
        CompileError: the pipeline cannot become a KFP pipeline.
    """
    facts, config = read_project(request)
    plan = make_plan(facts, config, request)
    return Prepared(facts=facts, config=config, plan=plan, compiled=compile_for_target(plan, config))


def compile_for_target(plan: Plan, config: KubeflowConfig) -> CompiledPipeline:
    """The compiled pipeline as the plan's target takes it.

    Raises:
        ConfigError: it asks for something that the target does not have.
    """
    compiled = compile_plan(plan)
    return for_vertex(compiled, config.vertexai) if plan.target == "vertexai" and config.vertexai else compiled
