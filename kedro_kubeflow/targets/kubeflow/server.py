"""One server, as all parts of the client share it."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import kfp_server_api

from kedro_kubeflow.auth.kubeflow.none import NoCredentials
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.targets.kubeflow import facts
from kedro_kubeflow.targets.kubeflow.address import Address
from kedro_kubeflow.targets.kubeflow.connection import Connection
from kedro_kubeflow.targets.kubeflow.refusals import server_errors

log = logging.getLogger(__name__)

PAGE = 100
HEALTH = "/apis/v2beta1/healthz"
IN_CLUSTER_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Server:
    """A connection, the services over it, and the namespace to work in."""

    address: Address
    connection: Connection
    configured_namespace: str | None = None
    shares_pipelines: bool = False

    def errors(self, doing: str) -> AbstractContextManager[None]:
        """Errors of what is done inside become ours."""
        return server_errors(self.address, doing)

    def pause(self, attempt: int) -> None:
        """A moment before a further try."""
        pauses = self.connection.patience.pauses
        if pauses:
            self.connection.sleep(pauses[min(attempt, len(pauses) - 1)])

    @cached_property
    def health(self) -> dict[str, Any]:
        """What it says of itself, which is more than its contract has; the UI's server says it in other words."""
        with self.errors("reach Kubeflow Pipelines"):
            answer = self.connection.request("GET", self.address.host + HEALTH, headers={"Accept": "application/json"})
            found = json.loads(answer.data)
        return found if isinstance(found, dict) else {}

    @property
    def multi_user(self) -> bool:
        """Whether the server keeps its users apart by namespace."""
        return bool(self.health.get("multi_user") or self.health.get("apiServerMultiUser"))

    @property
    def version(self) -> str | None:
        """Its version, where it says it."""
        said = self.health.get("tag_name") or self.health.get("apiServerTagName")
        return str(said) if said else None

    @property
    def is_ui(self) -> bool:
        """Whether the UI's server answers at `host`: it hands the API on, and has paths of its own beside it."""
        return "apiServerReady" in self.health or "frontendTagName" in self.health

    @property
    def ui(self) -> str | None:
        """Where the UI's own server can be asked; None where it is not known, or would be shown credentials that are not its."""
        if self.is_ui:
            return self.address.host
        if self.address.ui_host == self.address.host:
            return None
        nothing_to_show = isinstance(self.connection.credentials, NoCredentials)
        return self.address.ui_host if self.address.same_origin or nothing_to_show else None

    @cached_property
    def namespace(self) -> str | None:
        """Where we work: as configured, or as this pod's service account says; None on a single-user server.

        Raises:
            ConfigError: the server has several users, and nothing says which namespace is ours.
        """
        if self.configured_namespace or not self.multi_user:
            return self.configured_namespace
        if IN_CLUSTER_NAMESPACE.is_file():
            return IN_CLUSTER_NAMESPACE.read_text("utf-8").strip()
        raise ConfigError(
            "This Kubeflow Pipelines server has several users, and no namespace is configured",
            where="kubeflow.yml, namespace",
            cure="set it to your profile's namespace",
        )

    @property
    def pipelines_namespace(self) -> str | None:
        """Where our pipelines are: where we work, or nowhere and so for everybody, where that is asked for."""
        return None if self.shares_pipelines else self.namespace

    @cached_property
    def pipelines(self) -> Any:
        """``PipelineServiceApi``."""
        return kfp_server_api.PipelineServiceApi(self.connection)

    @cached_property
    def uploads(self) -> Any:
        """``PipelineUploadServiceApi``."""
        return kfp_server_api.PipelineUploadServiceApi(self.connection)

    @cached_property
    def experiments(self) -> Any:
        """``ExperimentServiceApi``."""
        return kfp_server_api.ExperimentServiceApi(self.connection)

    @cached_property
    def runs(self) -> Any:
        """``RunServiceApi``."""
        return kfp_server_api.RunServiceApi(self.connection)

    @cached_property
    def recurring_runs(self) -> Any:
        """``RecurringRunServiceApi``."""
        return kfp_server_api.RecurringRunServiceApi(self.connection)


def every(call: Callable[..., Any], items: str, *arguments: Any, page_size: int = PAGE, **query: Any) -> Iterator[Any]:
    """Every entry of a list, page after page.

    Args:
        call: a list operation of the generated client.
        items: the field of its answer that holds the entries.
        query: sorting and filter; they go with each page, as the token must match them.
    """
    query = {key: value for key, value in query.items() if value is not None}
    seen: set[str] = set()
    token = ""
    while token not in seen:
        seen.add(token)
        answer = call(*arguments, page_size=page_size, page_token=token, **query)
        yield from getattr(answer, items) or ()
        token = answer.next_page_token or ""
        if not token:
            return
    log.warning("The server gave the same page twice; the list may not be complete")


def equals(key: str, value: str) -> str:
    """A filter (https://www.kubeflow.org/docs/components/pipelines/reference/api/kubeflow-pipeline-api-spec/)."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": key, "string_value": value}]})


LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each look for what an uncertain request may have made: a slow server may still be at it."""
_LATEST = 200


def submitted(server: Server, call: Callable[..., Any], items: str, name: str, experiment_id: str, mark: str) -> Any:
    """What a request has made after all, by the mark in its description; None where nothing appears.

    Args:
        call, items: as for `every`.
        name: what it is called. Names repeat: it is among the latest of them.
    """
    for pause in LOOKS:
        server.connection.sleep(pause)
        query: dict[str, Any] = {"sort_by": "created_at desc", "filter": equals("display_name", name)}
        for entry in itertools.islice(every(call, items, experiment_id=experiment_id, **query), _LATEST):
            if facts.fact(entry.description, facts.SUBMISSION) == mark:
                return entry
    return None
