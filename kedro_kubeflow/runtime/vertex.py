"""What a step does in a container of Vertex AI Pipelines before anything else, and how it knows its job there."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from kedro_kubeflow.contract import JOB_ID_INPUT, JOB_NAME_INPUT, StepCall
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.runtime.executor import MOUNT_ROOT_ENV, Executor

# Set in every container
# (https://cloud.google.com/vertex-ai/docs/training/code-requirements#environment-variables).
VERTEX_ENV = "CLOUD_ML_PROJECT_ID"
# As kedro-vertexai set them: catalogs and code of its users read them.
KEDRO_RUN_ID_ENV, KEDRO_JOB_NAME_ENV = "KEDRO_CONFIG_RUN_ID", "KEDRO_CONFIG_JOB_NAME"
HOSTS = "/etc/hosts"


def on_vertex() -> bool:
    """Whether this process runs on Vertex AI."""
    return VERTEX_ENV in os.environ


def settle_in(call: StepCall, executor: Executor) -> None:
    """Make the container ready for the step. Elsewhere nothing is done: another machine's files are not the step's.

    Raises:
        StepError: hosts were to get names, and the container's file of hosts cannot be written.
    """
    if not on_vertex():
        return
    given = executor.parameters
    for variable, value in (
        (KEDRO_RUN_ID_ENV, given.get(JOB_ID_INPUT)),
        (KEDRO_JOB_NAME_ENV, given.get(JOB_NAME_INPUT) or job_of(executor)),
    ):
        if value:
            os.environ.setdefault(variable, str(value))
    if aliases := call.settings.get("host_aliases"):
        add_host_aliases(aliases, Path(os.environ.get(MOUNT_ROOT_ENV, "") + HOSTS))


def add_host_aliases(aliases: Sequence[Sequence[str]], hosts: Path) -> None:
    """Add lines to a file of hosts, once.

    Args:
        aliases: of each host, its address and then its names.

    Raises:
        StepError: the file cannot be written.
    """
    lines = ["\t".join([address, " ".join(names)]) for address, *names in aliases]
    try:
        text = hosts.read_text("utf-8")
        missing = [line for line in lines if line not in text.splitlines()]
        if missing:
            ended = text if text.endswith("\n") or not text else f"{text}\n"
            hosts.write_text(ended + "".join(f"{line}\n" for line in missing), "utf-8")
    except OSError as error:
        raise StepError(
            f"The host aliases cannot be added: {error.strerror}",
            where=f"{hosts}; user number {os.getuid() if hasattr(os, 'getuid') else '?'}",
            cure="let the image run as root (no USER, or USER root, at the end of its Dockerfile), or have the names served by "
            "the VPC's Cloud DNS and take `vertexai.network.host_aliases` out",
        ) from error


def job_of(executor: Executor) -> str | None:
    """The name of the job, read out of where its outputs lie; None where that is another place.

    They lie under ``ROOT/PROJECT_NUMBER/JOB/TASK_TASKID/``
    (https://cloud.google.com/vertex-ai/docs/pipelines/build-pipeline#artifact-storage). A cached step knows it from there
    alone, as inputs that differ from job to job would keep it from the cache.
    """
    match = re.search(r"/\d+/([a-z][-a-z0-9]{0,127})/[^/]+_-?\d+/[^/]+$", executor.output_file)
    return match.group(1) if match else None
