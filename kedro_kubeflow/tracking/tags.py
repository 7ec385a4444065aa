"""The tags that the plugin writes on the MLflow run; docs/reference/tags.md describes each.

MLflow takes letters, digits, ``_ - . / :`` and spaces in a key, 250 characters at most, and 8,000 characters in a value
(https://mlflow.org/docs/latest/ml/tracking/).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking.redaction import redacted

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_ID = "kubeflow_run_id"
RUN_URL = "kubeflow_run_url"
PIPELINE = "kubeflow_pipeline"
ENV = "kubeflow_env"
IMAGE = "kubeflow_image"
LATEST_NODE = "kubeflow_latest_node"
FAILED_NODE = "kubeflow_failed_node"
ERROR = "kubeflow_error"
FINAL_STATUS = "kubeflow_final_status"
ADOPTED = "kubeflow_adopted"
CODE = "kubeflow_code"
CODE_WARNING = "kubeflow_code_warning"
COMMIT = "kubeflow_git_commit"
RESUMED_FROM = "kubeflow_resumed_from"
ARTIFACT_PREFIX = "kubeflow_artifact."
STEP_PREFIX = "kubeflow_step."
STEP_ERROR_PREFIX = "kubeflow_step_error."

VERTEX_RUN_ID = "vertexai_run_id"
VERTEX_JOB_NAME = "vertexai_job_name"

# MLflow's own: what the UI shows as the run's description, and as where it came from.
NOTE = "mlflow.note.content"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"

MAX_KEY = 250
MAX_VALUE = 5_000
MAX_LINE = 500

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_HASHED = re.compile(r".*-[0-9a-f]{8}")


def step_key(step: str) -> str:
    """The tag that holds a step's state; no two steps share one.

    A name of plain letters stays as it is. Any other gets digits of its SHA-256, since MLflow's databases may hold an
    accented letter to be the same as its plain one.

    >>> step_key("ns.split_data")
    'kubeflow_step.ns.split_data'
    >>> step_key("étape")
    'kubeflow_step.étape-b4681107'
    """
    if _PLAIN.fullmatch(step) and not _HASHED.fullmatch(step) and len(STEP_PREFIX + step) <= MAX_KEY:
        return STEP_PREFIX + step
    digits = hashlib.sha256(step.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = re.sub(r"[^\w.-]", "_", step)
    return f"{(STEP_PREFIX + readable)[: MAX_KEY - 9]}-{digits}"


def step_error_key(step: str) -> str:
    """The tag that holds the last words of a step that failed: what, where and the cure, on lines of their own."""
    key = STEP_ERROR_PREFIX + step_key(step).removeprefix(STEP_PREFIX)
    return key if len(key) <= MAX_KEY else f"{key[: MAX_KEY - 9]}{key[-9:]}"


def steps_in(tags: Mapping[str, str]) -> dict[str, str]:
    """The steps' own tags: key → value, such as ``running train``."""
    return {key: value for key, value in tags.items() if key.startswith(STEP_PREFIX)}


def shorten(text: str, limit: int = MAX_VALUE) -> str:
    """A value that every MLflow store takes."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(error: BaseException) -> str:
    """An error as the one line that people read first; what looks like a secret is left out."""
    # Our own errors have a place and a cure below their first line.
    whole = str(getattr(error, "what", error))
    # Far more than is shown: a secret that is cut in two here is not.
    text = " ".join(redacted(whole[: 20 * MAX_LINE]).split())
    return shorten(f"{type(error).__name__}: {text}" if text else type(error).__name__, MAX_LINE)


def write(mlflow: MlflowClient, run_id: str, tags: Mapping[str, str]) -> None:
    """Write tags in one request; unlike a single tag's, it goes well when several steps write the same key at once."""
    from mlflow.entities import RunTag

    mlflow.log_batch(run_id, tags=[RunTag(key, shorten(value)) for key, value in tags.items()], synchronous=True)


def erase(mlflow: MlflowClient, run_id: str, *keys: str) -> None:
    """Take tags away; those that are not there, or that another step takes away at the same time, are no error."""
    from mlflow.exceptions import MlflowException

    known = mlflow.get_run(run_id).data.tags
    for key in keys:
        if key not in known:
            continue
        try:
            mlflow.delete_tag(run_id, key)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
