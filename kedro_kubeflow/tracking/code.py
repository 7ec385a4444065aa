"""A project's code as an artifact in MLflow: one place for each digest, and a copy in every run that used it.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient

STORE = "kedro-kubeflow-code"
"""The experiment that holds code; a run of it holds one."""
FOLDER = "code"
_FINISHED = "FINISHED"


def store_code(mlflow: MlflowClient, content: bytes, digest: str) -> str:
    """The id of the run that holds this code; made if there is none yet.

    Two that store the same code at the same moment make two runs of it, either of which will do.
    """
    place = experiment(mlflow, STORE)
    same = f"tags.`{tags.CODE}` = '{digest}' and attributes.status = '{_FINISHED}'"
    found = mlflow.search_runs([place], filter_string=same, max_results=1)
    if found:
        return str(found[0].info.run_id)
    run_id = str(mlflow.create_run(place, run_name=f"code {digest[:12]}", tags={tags.CODE: digest}).info.run_id)
    log_code(mlflow, run_id, content, digest)
    # Only now: a run that is found has all of it.
    mlflow.set_terminated(run_id, _FINISHED)
    return run_id


def log_code(mlflow: MlflowClient, run_id: str, content: bytes, digest: str) -> None:
    """Put code into a run's artifacts, as `code/<digest>.tar.xz`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / file_name(digest)
        file.write_bytes(content)
        mlflow.log_artifact(run_id, str(file), FOLDER)


def fetch_code(mlflow: MlflowClient, run_id: str, digest: str) -> bytes:
    """The code that a run holds.

    Raises:
        mlflow.exceptions.MlflowException: it is not there, or cannot be reached.
    """
    with tempfile.TemporaryDirectory() as folder:
        return Path(mlflow.download_artifacts(run_id, f"{FOLDER}/{file_name(digest)}", folder)).read_bytes()


def file_name(digest: str) -> str:
    """What an archive is called."""
    return f"{digest[:16]}.tar.xz"
