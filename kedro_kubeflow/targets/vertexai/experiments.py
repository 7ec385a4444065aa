"""Vertex AI experiments, which jobs may be filed under (https://cloud.google.com/vertex-ai/docs/experiments)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.targets.vertexai.connection import TIMEOUT, Connection
from kedro_kubeflow.targets.vertexai.jobs import Job, Jobs

log = logging.getLogger(__name__)

SCHEMA, SCHEMA_VERSION = "system.Experiment", "0.0.1"
LOOKS = 60
"""How many seconds a new job may take until it is known among experiments."""


@dataclass(frozen=True)
class Experiments:
    """The experiments of a project in a region: contexts of its metadata store."""

    connection: Connection

    @property
    def store(self) -> str:
        """The metadata store that holds them."""
        return f"{self.connection.parent}/metadataStores/default"

    def ensure(self, name: str, description: str | None = None) -> str:
        """The full name of an experiment; it is made where it is not there.

        Raises:
            ConfigError: something else is called so.
            AuthError, ServerError
        """
        from google.api_core.exceptions import Conflict, NotFound

        with self.connection.errors(f"get the experiment {name!r}"):
            try:
                found = self._get(name)
            except NotFound:
                try:
                    found = self._make(name, description)
                except Conflict:
                    found = self._get(name)
        if found.schema_title != SCHEMA:
            raise ConfigError(
                f"{name!r} is no experiment in Vertex AI, but a {found.schema_title}",
                where="vertexai.experiment_name",
                cure="choose another name",
            )
        return str(found.name)

    def file(self, experiment: str, job: Job) -> bool:
        """File a job under an experiment, as soon as Vertex AI knows the job there.

        Args:
            experiment: its full name, as `ensure` gives it.

        Returns:
            Whether it was: a job may end, or take too long to begin, before.

        Raises:
            AuthError, ServerError
        """
        jobs = Jobs(self.connection)
        for _ in range(LOOKS):
            if job.context:
                break
            if job.ended:
                return False
            self.connection.sleep(1.0)
            job = jobs.get(job.id)
        if not job.context:
            return False
        with self.connection.errors(f"file the job {job.name!r} under the experiment {experiment!r}"):
            self.connection.metadata.add_context_children(
                {"context": experiment, "child_contexts": [job.context]}, timeout=TIMEOUT
            )
        return True

    def _get(self, name: str) -> Any:
        return self.connection.metadata.get_context(name=f"{self.store}/contexts/{name}", timeout=TIMEOUT)

    def _make(self, name: str, description: str | None) -> Any:
        from google.api_core.exceptions import NotFound

        context = {
            "display_name": name,
            "description": description or "",
            "schema_title": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            # The console's list of experiments asks for it.
            "metadata": {"experiment_deleted": False},
        }
        request = {"parent": self.store, "context": context, "context_id": name}
        try:
            return self.connection.metadata.create_context(request, timeout=TIMEOUT)
        except NotFound:
            self._make_store()
            return self.connection.metadata.create_context(request, timeout=TIMEOUT)

    def _make_store(self) -> None:
        """The store itself, which a project has from its first run on."""
        key = self.connection.config.encryption_key
        store = {"encryption_spec": {"kms_key_name": key}} if key else {}
        request = {"parent": self.connection.parent, "metadata_store": store, "metadata_store_id": "default"}
        self.connection.metadata.create_metadata_store(request, timeout=TIMEOUT).result(timeout=300)
