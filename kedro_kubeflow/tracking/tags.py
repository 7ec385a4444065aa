"""The tags that the plugin writes on the MLflow run; docs/reference/tags.md describes each.

MLflow takes letters, digits, ``_ - . / :`` and spaces in a key, 250 characters at most, and 8,000 characters in a value
(https://mlflow.org/docs/latest/ml/tracking/).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kedro_kubeflow import names
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
RESUMED_MLFLOW = "kubeflow_resumed_from_mlflow_run"
TAKEN_OVER = "kubeflow_taken_over"
TAKEN_OVER_METRICS = "kubeflow_taken_over_metrics"
TAKEN_OVER_PARAMS = "kubeflow_taken_over_params"
ARTIFACT_PREFIX = "kubeflow_artifact."
# How many steps there are, and what went wrong when the run had ended.
STEPS = "kubeflow_steps"
EXIT_ERROR = "kubeflow_exit_error"
# One of each a step: its state, the last words of one that failed, when it did what.
STEP_PREFIX = "kubeflow_step."
STEP_ERROR_PREFIX = "kubeflow_step_error."
STEP_LOGGED_PREFIX = "kubeflow_step_logged."
STEP_TIMES_PREFIX = "kubeflow_times."
STEP_SIZES_PREFIX = "kubeflow_sizes."

VERTEX_RUN_ID = "vertexai_run_id"
VERTEX_JOB_NAME = "vertexai_job_name"

# MLflow's own: what the UI shows as the run's description, and as where it came from.
NOTE = "mlflow.note.content"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"

MAX_KEY = 250
MAX_VALUE = 5_000
MAX_LINE = 500

_OF_STEPS = (STEP_PREFIX, STEP_ERROR_PREFIX, STEP_TIMES_PREFIX, STEP_LOGGED_PREFIX, STEP_SIZES_PREFIX)
_LONGEST = max(_OF_STEPS, key=len)
_OWN = frozenset(STEP_PREFIX + task for task in names.TASKS)
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
    if _PLAIN.fullmatch(step) and not _HASHED.fullmatch(step) and len(_LONGEST + step) <= MAX_KEY:
        return STEP_PREFIX + step
    digits = hashlib.sha256(step.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = re.sub(r"[^\w.-]", "_", step)
    return f"{STEP_PREFIX}{readable[: MAX_KEY - 9 - len(_LONGEST)]}-{digits}"


def error_key(step_key: str) -> str:
    """The tag that holds a step's last words.

    >>> error_key("kubeflow_step.split_data")
    'kubeflow_step_error.split_data'
    """
    return STEP_ERROR_PREFIX + step_key.removeprefix(STEP_PREFIX)


def times_key(step_key: str) -> str:
    """The tag that holds when a step did what, as JSON."""
    return STEP_TIMES_PREFIX + step_key.removeprefix(STEP_PREFIX)


def logged_key(step_key: str) -> str:
    """The tag that holds which parameters and metrics a step has logged, as JSON."""
    return STEP_LOGGED_PREFIX + step_key.removeprefix(STEP_PREFIX)


def numbered(key: str, number: int) -> str:
    """The tag that goes on with what is too much for one; no step's own key has a blank.

    >>> numbered("kubeflow_step_logged.train", 1), numbered("kubeflow_step_logged.train", 2)
    ('kubeflow_step_logged.train', 'kubeflow_step_logged.train 2')
    """
    return key if number == 1 else f"{key} {number}"


def sizes_key(step_key: str) -> str:
    """The tag that holds how many bytes each dataset has that a step has stored, as JSON."""
    return STEP_SIZES_PREFIX + step_key.removeprefix(STEP_PREFIX)


def artifact_key(dataset: str) -> str:
    """The tag that holds where a dataset that a step has stored lies.

    >>> artifact_key("ns.model")
    'kubeflow_artifact.ns.model'
    """
    return ARTIFACT_PREFIX + step_key(dataset).removeprefix(STEP_PREFIX)


def step_error_key(step: str) -> str:
    """The tag that holds the last words of a step that failed: what, where and the cure, on lines of their own."""
    return error_key(step_key(step))


def steps_in(tags: Mapping[str, str]) -> dict[str, str]:
    """The states of the pipeline's steps: key → value, such as ``running train``; the exit pipeline is none of them."""
    return {key: value for key, value in tags.items() if key.startswith(STEP_PREFIX) and key not in _OWN}


def of_steps(tags: Mapping[str, str]) -> list[str]:
    """The keys of everything that steps have said."""
    return [key for key in tags if key.startswith((*_OF_STEPS, ARTIFACT_PREFIX))]


def shorten(text: str, limit: int = MAX_VALUE) -> str:
    """A value that every MLflow store takes."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def last_words(error: BaseException) -> str:
    """What failed, where and the cure, as people read it in the step's log; what looks like a secret is left out."""
    text = str(error) if hasattr(error, "cure") else f"{type(error).__name__}: {error}"
    return shorten("\n".join(line.rstrip() for line in redacted(text[: 20 * MAX_VALUE]).splitlines() if line.strip()))


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
    known = mlflow.get_run(run_id).data.tags
    drop(mlflow, run_id, *(key for key in keys if key in known))


def drop(mlflow: MlflowClient, run_id: str, *keys: str) -> None:
    """Take tags away that were there a moment ago."""
    from mlflow.exceptions import MlflowException

    for key in keys:
        try:
            mlflow.delete_tag(run_id, key)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
