"""A compiled pipeline together with what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.compiler import CompiledPipeline
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.plan import Plan
from kedro_kubeflow.project.facts import Facts
from kedro_kubeflow.project.opening import OpenProject


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
        """The Kedro parameters, overrides merged in: what a run's name may be made of. What resolvers give is marked."""
        return self.facts.parameters.known
