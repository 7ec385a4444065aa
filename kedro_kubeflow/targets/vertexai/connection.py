"""The clients of Google's services, made when they are needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kedro_kubeflow.auth.google.ambient import ambient_credentials
from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.errors import DependencyError
from kedro_kubeflow.targets.vertexai.refusals import place_of, vertex_errors

TIMEOUT = 60.0
"""Seconds without an answer after which a request has failed."""


@dataclass(frozen=True)
class Connection:
    """Clients that share credentials and speak HTTP, which proxies and their certificates are made for.

    Attributes:
        sleep: waits between attempts.
    """

    config: VertexAIConfig
    sleep: Callable[[float], None] = time.sleep

    @property
    def parent(self) -> str:
        """The place that holds everything: ``projects/…/locations/…``."""
        return f"projects/{self.config.project_id}/locations/{self.config.region}"

    @cached_property
    def types(self) -> Any:
        """The package with Google's messages and clients.

        Raises:
            DependencyError: it is not installed.
        """
        try:
            from google.cloud import aiplatform_v1
        except ImportError as error:
            raise DependencyError(
                f"Vertex AI needs google-cloud-aiplatform: {error}", cure="pip install 'kedro-kubeflow[vertexai]'"
            ) from error
        return aiplatform_v1

    @cached_property
    def jobs(self) -> Any:
        """Pipeline jobs: a ``PipelineServiceClient``."""
        return self._client("PipelineServiceClient")

    @cached_property
    def schedules(self) -> Any:
        """Schedules: a ``ScheduleServiceClient``."""
        return self._client("ScheduleServiceClient")

    @cached_property
    def metadata(self) -> Any:
        """Experiments among other things: a ``MetadataServiceClient``."""
        return self._client("MetadataServiceClient")

    def errors(self, doing: str) -> AbstractContextManager[None]:
        """Google's errors become ours; see `vertex_errors`."""
        return vertex_errors(self.config, doing)

    @cached_property
    def _credentials(self) -> Any:
        return ambient_credentials(place_of(self.config))

    def _client(self, name: str) -> Any:
        service = getattr(self.types, name)
        endpoint = self.config.api_endpoint or f"{self.config.region}-aiplatform.googleapis.com"
        options = {"api_endpoint": endpoint.removeprefix("https://")}
        return service(credentials=self._credentials, transport="rest", client_options=options)
