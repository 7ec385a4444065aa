"""The server that the tests run against, as the environment describes it, and what is asked of it past the command line."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import kfp_server_api as api
import yaml

from kedro_kubeflow.config.kubeflow import read_config
from kedro_kubeflow.targets.kubeflow.configured import connect_to

LOGINS = ("KF_", "KFP_", "DEX_", "IAP_", "KUBECONFIG")
"""What begins so in the environment may be a login, and reaches the commands."""


@dataclass(frozen=True)
class Place:
    """Where the server, its image and its MLflow are."""

    host: str
    image: str
    mlflow: str
    """As pods see it."""
    mlflow_here: str
    namespace: str | None
    env: str
    """The configuration environment that the image holds."""
    auth: Mapping[str, Any] | None
    hooks: str | None
    """An address of this machine that pods can reach."""
    environ: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Place | None:
        """None where the environment names no server.

        Raises:
            KeyError: it names one, and no image or MLflow.
        """
        if not environ.get("KFP_HOST"):
            return None
        return cls(
            host=environ["KFP_HOST"],
            image=environ["KFP_IMAGE"],
            mlflow=environ["MLFLOW_TRACKING_URI"],
            mlflow_here=environ.get("KFP_MLFLOW_HERE") or environ["MLFLOW_TRACKING_URI"],
            namespace=environ.get("KFP_NAMESPACE") or None,
            env=environ.get("KFP_ENV") or "cluster",
            auth=yaml.safe_load(environ.get("KFP_AUTH") or "null"),
            hooks=environ.get("KFP_WEBHOOK_HOST") or None,
            environ={k: v for k, v in environ.items() if k.startswith(LOGINS)},
        )

    def kubeflow(self) -> dict[str, Any]:
        """What kubeflow.yml says of it."""
        said = {"host": self.host, "namespace": self.namespace, "auth": self.auth}
        return {key: value for key, value in said.items() if value is not None}

    def kubectl(self, *words: str) -> str:
        """What kubectl answers, in the namespace of the runs."""
        command = ["kubectl", "--namespace", self.namespace or "kubeflow", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def has_kubectl(self) -> bool:
        """Whether kubectl is here and may delete this cluster's pods."""
        if not shutil.which("kubectl"):
            return False
        try:
            return self.kubectl("auth", "can-i", "delete", "pods").strip() == "yes"
        except subprocess.SubprocessError:
            return False

    def has_storage_class(self) -> bool:
        """Whether the cluster has a default storage class, as far as kubectl tells."""
        classes = self.kubectl("get", "storageclass", "-o", "yaml") if self.has_kubectl() else ""
        return 'is-default-class: "true"' in classes


class Server:
    """The API as a program uses it."""

    def __init__(self, place: Place) -> None:
        connection = connect_to(read_config(place.kubeflow())).server.connection
        self.place = place
        self.runs = api.RunServiceApi(connection)
        self.pipelines = api.PipelineServiceApi(connection)
        self.experiments = api.ExperimentServiceApi(connection)
        self.recurring = api.RecurringRunServiceApi(connection)

    def experiment(self, name: str) -> Any | None:
        found = self._pages(self.experiments.experiment_service_list_experiments, "experiments", self._named)
        return next((e for e in found if e.display_name == name), None)

    def pipeline(self, name: str) -> Any | None:
        return next((p for p in self._all_pipelines() if name in (p.name, p.display_name)), None)

    def _all_pipelines(self) -> list[Any]:
        return list(self._pages(self.pipelines.pipeline_service_list_pipelines, "pipelines", self._named))

    def versions(self, pipeline_id: str) -> list[Any]:
        listing = self.pipelines.pipeline_service_list_pipeline_versions
        return list(self._pages(listing, "pipeline_versions", {"pipeline_id": pipeline_id}))

    def runs_of(self, experiment_id: str) -> list[Any]:
        return list(self._pages(self.runs.run_service_list_runs, "runs", {"experiment_id": experiment_id}))

    @property
    def _named(self) -> dict[str, str]:
        return {"namespace": self.place.namespace} if self.place.namespace else {}

    def _pages(self, listing: Any, what: str, query: Mapping[str, str]) -> Iterator[Any]:
        token = ""
        while True:
            answer = listing(page_size=100, page_token=token, **query)
            yield from getattr(answer, what) or []
            token = answer.next_page_token or ""
            if not token:
                return

    def remove(self, name: str) -> None:
        """Everything that a session of tests has made under its name."""
        experiment = self.experiment(name)
        if experiment is not None:
            self._empty(experiment.experiment_id)
        for pipeline in self._all_pipelines():
            # A part of the pipeline is a pipeline of its own, whose name goes on.
            if pipeline.name == name or pipeline.name.startswith(f"{name}-"):
                self._remove_pipeline(pipeline.pipeline_id)

    def _remove_pipeline(self, pipeline_id: str) -> None:
        for version in self.versions(pipeline_id):
            self.pipelines.pipeline_service_delete_pipeline_version(pipeline_id, version.pipeline_version_id)
        self.pipelines.pipeline_service_delete_pipeline(pipeline_id)

    def _empty(self, experiment_id: str) -> None:
        listing = self.recurring.recurring_run_service_list_recurring_runs
        for recurring in list(self._pages(listing, "recurring_runs", {"experiment_id": experiment_id})):
            self.recurring.recurring_run_service_delete_recurring_run(recurring.recurring_run_id)
        for run in self.runs_of(experiment_id):
            with contextlib.suppress(api.ApiException):
                self.runs.run_service_terminate_run(run.run_id)
            self.runs.run_service_delete_run(run.run_id)
        self.experiments.experiment_service_delete_experiment(experiment_id)
