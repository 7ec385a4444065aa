"""What only the server can tell: whether it is reachable, takes the credentials, has the namespace, and its version."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.rights import Rights, rights, user_of

Version = tuple[int, int]

EXIT_HOOKS: Version = (2, 4)
WORKSPACE: Version = (2, 15)
DEADLINE: Version = (2, 17)


def server_findings(client: KubeflowClient, config: KubeflowConfig, *, tracking: bool) -> Iterator[Finding]:
    """Ask the configured server.

    Raises:
        ConfigError: no server or no namespace is configured.
        AuthError: the credentials are missing or refused.
        ServerError: the server does not answer, or refuses.
    """
    namespace = client.server.namespace
    if client.server.multi_user:
        yield from _rights(client, config)
    else:
        # The health alone says nothing of credentials.
        list(client.runs.list(limit=1, namespace=namespace))
    found = client.server.version
    text = f"{client.address.host} answers and takes the credentials"
    text += f", in the namespace {namespace!r}" if namespace else ""
    text += f"; its version is {found}" if found else "; it does not say its version"
    yield Finding("server", "info", text)
    match = re.match(r"v?(\d+)\.(\d+)", found or "")
    if match:
        yield from _old((int(match.group(1)), int(match.group(2))), config, tracking=tracking)


def _rights(client: KubeflowClient, config: KubeflowConfig) -> Iterator[Finding]:
    """Who one is, and what one may do in each namespace that is used."""
    user = user_of(client.server)
    pipelines = client.server.namespace
    runs = config.experiment_namespace or pipelines
    for namespace in dict.fromkeys(n for n in (pipelines, runs) if n):
        with client.server.errors(f"ask what you may do in the namespace {namespace!r}"):
            found = rights(client.server, namespace)
        needed = {"view": found.view}
        if namespace == runs:
            needed["run"] = found.run is not False
        if namespace == pipelines and not client.server.shares_pipelines:
            needed["upload"] = found.upload is not False
        where = "kubeflow.yml, " + ("namespace" if namespace == pipelines else "experiment_namespace")
        yield Finding(
            "rights",
            "info" if all(needed.values()) else "error",
            f"{user or 'You'}, in the namespace {namespace!r}: {_spoken(found)}",
            where,
            None if all(needed.values()) or not found.denied else found.denied.cure,
        )


def _spoken(found: Rights) -> str:
    """As in "may view and run, may not upload"."""
    given = {"view": found.view, "run": found.run, "upload": found.upload}
    may, may_not, unknown = ([name for name, right in given.items() if right is kind] for kind in (True, False, None))
    parts = [f"{verb} {', '.join(names)}" for verb, names in (("may", may), ("may not", may_not)) if names]
    if unknown:
        parts.append(f"whether you may {', '.join(unknown)} shows with the first one there")
    return "; ".join(parts)


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
