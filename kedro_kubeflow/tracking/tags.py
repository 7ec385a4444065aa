"""The tags that the plugin writes on the MLflow run.

MLflow takes letters, digits, ``_ - . / :`` and spaces in a key, 250 characters at most, and 8,000 characters in a value
(https://mlflow.org/docs/latest/ml/tracking/).
"""

from __future__ import annotations

import re

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
STEP_PREFIX = "kubeflow_step."

VERTEX_RUN_ID = "vertexai_run_id"
VERTEX_JOB_NAME = "vertexai_job_name"

MAX_KEY = 250
MAX_VALUE = 5_000


def step_key(step: str) -> str:
    """The tag that holds a step's state."""
    return (STEP_PREFIX + re.sub(r"[^A-Za-z0-9_./ :-]", "_", step))[:MAX_KEY]


def shorten(text: str) -> str:
    """A value that every MLflow store takes."""
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def one_line(error: BaseException) -> str:
    """An error as the one line that people read first."""
    text = " ".join(str(error).split())
    return shorten(f"{type(error).__name__}: {text}" if text else type(error).__name__)[:500]
