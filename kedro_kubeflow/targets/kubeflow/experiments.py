"""Experiments: the folders of runs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, Fate, fate_of, is_conflict
from kedro_kubeflow.targets.kubeflow.server import Server, equals, every

log = logging.getLogger(__name__)

TRIES = 4


@dataclass(frozen=True)
class Experiment:
    """An experiment."""

    id: str
    name: str


@dataclass(frozen=True)
class Experiments:
    """The server's experiments."""

    server: Server

    def ensure(self, name: str, namespace: str | None = None) -> Experiment:
        """The experiment of a name, made if it is not there.

        Args:
            namespace: where it is, if not in the namespace that we work in.

        Raises:
            AuthError, ServerError: it can neither be found nor made, or it is archived.
        """
        if namespace and not self.server.multi_user:
            log.warning(
                "The namespace %r of the experiment is ignored: this server has one user and no namespaces", namespace
            )
            namespace = None
        namespace = namespace or self.server.namespace
        with self.server.errors(f"make the experiment {name!r}"):
            found = self._find(name, namespace)
            return found or self._make(name, namespace)

    def names(self, namespace: str | None = None) -> dict[str, str]:
        """Name by id."""
        with self.server.errors("list the experiments"):
            call = self.server.experiments.experiment_service_list_experiments
            listed = every(call, "experiments", namespace=namespace or self.server.namespace)
            return {e.experiment_id: e.display_name for e in listed}

    def _find(self, name: str, namespace: str | None) -> Experiment | None:
        call = self.server.experiments.experiment_service_list_experiments
        for entry in every(call, "experiments", filter=equals("display_name", name), namespace=namespace):
            # The server compares without case.
            if entry.display_name == name:
                return self._usable(entry)
        return None

    def _usable(self, entry: Any) -> Experiment:
        if entry.storage_state == "ARCHIVED":
            raise ServerError(
                f"The experiment {entry.display_name!r} is archived",
                where=f"{self.server.address.ui_host}/#/experiments/details/{entry.experiment_id}",
                cure="restore it there, or take another experiment",
            )
        return Experiment(entry.experiment_id, entry.display_name)

    def _make(self, name: str, namespace: str | None) -> Experiment:
        """Names are unique, so a request whose fate is unknown can be sent again."""
        body = {"display_name": name, **({"namespace": namespace} if namespace else {})}
        for attempt in range(TRIES):
            try:
                made = self.server.experiments.experiment_service_create_experiment(body)
                return Experiment(made.experiment_id, made.display_name)
            except FOREIGN as error:
                if not is_conflict(error) and fate_of(error) is not Fate.UNKNOWN:
                    raise
                found = self._find(name, namespace)
                if found:
                    return found
                if is_conflict(error) or attempt == TRIES - 1:
                    raise
            self.server.pause(attempt)
        raise AssertionError("the last try either returns or raises")
