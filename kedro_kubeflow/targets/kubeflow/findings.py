"""What only the server can tell: whether it is reachable, takes the credentials, has the namespace, and its version."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.plan.compile import Source
from kedro_kubeflow.targets.kubeflow.project_server import connect_to

Version = tuple[int, int]

EXIT_HOOKS: Version = (2, 4)
WORKSPACE: Version = (2, 15)
DEADLINE: Version = (2, 17)


def server_findings(source: Source) -> Iterator[Finding]:
    """Ask the configured server.

    Raises:
        ConfigError: no server or no namespace is configured.
        AuthError: the credentials are missing or refused.
        ServerError: the server does not answer, or refuses.
    """
    client = connect_to(source.config)
    namespace = client.server.namespace
    # The health alone says nothing of rights: a list of runs is what the namespace's user may see.
    list(client.runs.list(limit=1, namespace=namespace))
    found = client.server.version
    text = f"{client.address.host} answers and takes the credentials"
    text += f", in the namespace {namespace!r}" if namespace else ""
    text += f"; its version is {found}" if found else "; it does not say its version"
    yield Finding("server", "info", text)
    match = re.match(r"v?(\d+)\.(\d+)", found or "")
    if match:
        yield from _old((int(match.group(1)), int(match.group(2))), source.config, tracking=source.tracking)


def _old(version: Version, config: KubeflowConfig, *, tracking: bool) -> Iterator[Finding]:
    """What this pipeline asks for and the server is too old for."""
    run = config.run_config
    hooked = (tracking and run.mlflow.close_run == "exit_handler") or run.on_exit_pipeline or run.notifications
    for wanted, since, what in (
        (hooked, EXIT_HOOKS, "tasks at the end of a run"),
        (run.volume, WORKSPACE, "a run's volume"),
        (run.deadline, DEADLINE, "a run's deadline"),
    ):
        if wanted and version < since:
            yield Finding(
                "server-version",
                "warning",
                f"The server is of version {version[0]}.{version[1]}, and knows {what} since {since[0]}.{since[1]}",
                "kubeflow.yml, host",
            )
