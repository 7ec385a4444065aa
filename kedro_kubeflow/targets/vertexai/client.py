"""One object for all that is asked of Vertex AI."""

from __future__ import annotations

from functools import cached_property

from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.targets.vertexai.connection import Connection
from kedro_kubeflow.targets.vertexai.experiments import Experiments
from kedro_kubeflow.targets.vertexai.jobs import Jobs
from kedro_kubeflow.targets.vertexai.schedules import Schedules


class VertexClient:
    """Vertex AI Pipelines of a project in a region. Nothing is sent before something is asked."""

    def __init__(self, config: VertexAIConfig) -> None:
        self.config = config
        self._connection = Connection(config)

    @cached_property
    def jobs(self) -> Jobs:
        """Pipeline jobs."""
        return Jobs(self._connection)

    @cached_property
    def schedules(self) -> Schedules:
        """Schedules."""
        return Schedules(self._connection)

    @cached_property
    def experiments(self) -> Experiments:
        """Experiments."""
        return Experiments(self._connection)
