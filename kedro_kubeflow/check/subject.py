"""What is checked before a pipeline is planned: the facts, the configuration, and what would run."""

from __future__ import annotations

from dataclasses import dataclass

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.plan.scope import Scope
from kedro_kubeflow.project.facts import Facts


@dataclass(frozen=True)
class Subject:
    """What is checked."""

    facts: Facts
    config: KubeflowConfig
    scope: Scope
