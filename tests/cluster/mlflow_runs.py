"""What the MLflow server holds of the tests' runs."""

from __future__ import annotations

import time
from typing import Any


class MlflowRuns:
    """Looked up by the Kubeflow run that they belong to."""

    def __init__(self, uri: str) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(uri)
        self._seen: set[str] = set()

    def of(self, run_id: str) -> list[Any]:
        """All MLflow runs of a Kubeflow run; one, if all is well."""
        experiments = [e.experiment_id for e in self.client.search_experiments()]
        found = list(self.client.search_runs(experiments, f"tags.kubeflow_run_id = '{run_id}'"))
        self._seen.update(run.info.run_id for run in found)
        return found

    def one(self, run_id: str) -> Any:
        """The one MLflow run."""
        (run,) = self.of(run_id)
        return run

    def status(self, run_id: str, wanted: str, *, seconds: float = 60) -> str:
        """The one run's status, as soon as it is the wanted one, or what it is in the end."""
        deadline = time.monotonic() + seconds
        while True:
            status = str(self.one(run_id).info.status)
            if status == wanted or time.monotonic() > deadline:
                return status
            time.sleep(2)

    def remove(self) -> None:
        """Delete what was looked at."""
        for run_id in self._seen:
            self.client.delete_run(run_id)
