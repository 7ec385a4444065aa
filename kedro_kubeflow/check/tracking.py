"""Whether pods can reach the MLflow server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from kedro_kubeflow.auth.mlflow.address import ADDRESSES, holds_password
from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.check.reach import is_here
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.project.mlflow_plugin import is_folder, mlflow_section, tracking_uri, unknown_scheme

_VARIABLE = "MLFLOW_TRACKING_URI"
_CURE = "set server.mlflow_tracking_uri to an address that the cluster reaches, in an environment of its own (--env)"


_VARIABLES = (
    "take user and password out of it, and give MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to the steps from a "
    "secret (run_config.env); for a database, its own variables, such as PGPASSWORD"
)


def tracking_findings(subject: Subject) -> Iterator[Finding]:
    """What is wrong with the address, if the pipeline is tracked."""
    if not subject.scope.tracking:
        return
    loader = subject.facts.project.config_loader()
    yield from _refused(subject, loader)
    server = mlflow_section(loader).get("server") or {}
    yield from _passwords(server, subject)
    configured = server.get("mlflow_tracking_uri")
    given = _given(subject)
    where = "mlflow.yml, server.mlflow_tracking_uri"
    if configured:
        problem = _unreachable(str(configured))
    elif isinstance(given, str):
        where, problem = f"kubeflow.yml, run_config.env.{_VARIABLE}", _unreachable(given)
    elif given is not None:
        return
    elif tracking_uri(loader):
        where, problem = f"the environment variable {_VARIABLE}", "is set here and not in the pods"
    else:
        problem = "is not given, so each pod would log to files of its own"
    if problem:
        yield Finding("mlflow-address", "error", f"The address of the MLflow server {problem}", where, _CURE)


def _refused(subject: Subject, loader: Any) -> Iterator[Finding]:
    """What kedro-mlflow will not take of mlflow.yml when a context loads, such as a key that it does not know."""
    if not subject.facts.mlflow.installed:
        return
    from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig

    try:
        KedroMlflowConfig.model_validate(mlflow_section(loader))
    except ValueError as error:
        # Pydantic's, which says what is wrong key by key.
        for one in getattr(error, "errors", list)():
            key = ".".join(map(str, one["loc"]))
            unknown = one["type"] == "extra_forbidden"
            what = f"kedro-mlflow knows no key {key!r}" if unknown else f"kedro-mlflow refuses {key!r}: {one['msg']}"
            yield Finding("mlflow-config", "error", what, f"mlflow.yml, {key}", "mend it there: no step would start")


def _passwords(server: Mapping[str, Any], subject: Subject) -> Iterator[Finding]:
    """Addresses that hold a password: they stand in code or a compiled pipeline, and in logs."""
    written = {f"mlflow.yml, server.{key}": server.get(key) for key in ADDRESSES}
    written[f"kubeflow.yml, run_config.env.{_VARIABLE}"] = _given(subject)
    for where, uri in written.items():
        if isinstance(uri, str) and holds_password(uri):
            yield Finding(
                "mlflow-password", "error", "The address of the MLflow server holds a password", where, _VARIABLES
            )


def _given(subject: Subject) -> object:
    """What ``env`` gives every step as the address: text, a reference, or None."""
    for variables in subject.config.run_config.env.values():
        if variables and variables.get(_VARIABLE) is not None:
            return variables[_VARIABLE]
    return None


def _unreachable(uri: str) -> str | None:
    """Why a pod cannot use an address; None where it may."""
    scheme = urlsplit(uri).scheme.partition("+")[0]
    if scheme == "sqlite":
        return "is a database in a file of this machine (sqlite)"
    if unknown := unknown_scheme(uri):
        return f"begins with {unknown!r}, which is nothing that MLflow knows"
    if is_folder(uri):
        return "is a folder of this machine"
    return "is an address of this machine, which in a pod is the pod itself" if is_here(uri) else None
