"""How steps log in to MLflow, as far as that can be told here: what is wrong would show in the first pod alone."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from kedro_kubeflow.auth.mlflow.flat_params import OURS, modules_of, needs, paths
from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.errors import KedroKubeflowError, did_you_mean
from kedro_kubeflow.project.mlflow_plugin import mlflow_section

_WHERE = "mlflow.yml, server.request_header_provider"
_KEYS = {"type", "pass_context", "init_kwargs"}
_SECTION = "kubeflow.yml, run_config.mlflow.request_header_provider_params"


def tracking_login_findings(subject: Subject) -> Iterator[Finding]:
    """What is wrong with the request header provider, if the pipeline is tracked."""
    if not subject.scope.tracking:
        return
    server = mlflow_section(subject.facts.project.config_loader()).get("server") or {}
    provider = server.get("request_header_provider") or {}
    if not isinstance(provider, Mapping):
        yield Finding("mlflow-login", "error", "request_header_provider must be a mapping of keys to values", _WHERE)
        return
    for key in provider.keys() - _KEYS:
        hint = did_you_mean(str(key), _KEYS)
        yield Finding("mlflow-login", "error", f"kedro-mlflow knows no key {key!r} there. {hint}", _WHERE)
    kind = provider.get("type")
    if kind:
        yield from _provider(str(kind), provider, subject)
    elif provider.get("init_kwargs"):
        yield Finding("mlflow-login", "error", "`init_kwargs` stand there without a `type`", _WHERE)


def _provider(kind: str, provider: Mapping[str, Any], subject: Subject) -> Iterator[Finding]:
    given = provider.get("init_kwargs") or {}
    if not isinstance(given, Mapping):
        yield Finding("mlflow-login", "error", "`init_kwargs` must be a mapping of keys to values", _WHERE)
        return
    for key in (key for key, value in given.items() if not isinstance(value, str)):
        yield Finding("mlflow-login", "error", f"kedro-mlflow takes text alone for {key!r}", f"{_WHERE}.init_kwargs")
    ours = dict(subject.config.run_config.mlflow.request_header_provider_params) if provider.get("pass_context") else {}
    if problem := problem_of_path(kind):
        yield Finding("mlflow-login", "error", problem, f"{_WHERE}.type", "mend the class path, or install its package")
    else:
        yield from _own(kind.rpartition(".")[2], {**ours, **given}, subject)


def problem_of_path(kind: str) -> str | None:
    """What is wrong with a class path; None where it leads to a request header provider."""
    module, _, name = kind.rpartition(".")
    if module.startswith(OURS):
        return None if module in modules_of(name) else f"There is no {kind}. {did_you_mean(kind, paths())}"
    try:
        holder = importlib.import_module(module)
    except Exception as error:
        # Whatever a module of the project's does when it is imported, the pod will meet it too.
        return f"The module {module!r} cannot be imported: {type(error).__name__}: {error}"
    found = getattr(holder, name, None)
    if found is None:
        known = [n for n, value in vars(holder).items() if inspect.isclass(value) and hasattr(value, "request_headers")]
        return f"The module {module!r} has no {name!r}. {did_you_mean(name, known)}"
    is_provider = inspect.isclass(found) and hasattr(found, "request_headers")
    return None if is_provider else f"{kind} is no request header provider"


def _own(provider: str, params: Mapping[str, Any], subject: Subject) -> Iterator[Finding]:
    """Parameters of the providers that come with this package."""
    described = needs(provider)
    if described is None:
        return
    make, known = described
    for key in params.keys() - known:
        hint = did_you_mean(str(key), known)
        yield Finding("mlflow-login", "error", f"{provider} knows no parameter {key!r}. {hint}", _place(key, subject))
    try:
        make(params, where=_WHERE)
    except KedroKubeflowError as error:
        yield Finding("mlflow-login", "error", error.what, error.where or _WHERE, error.cure)
        return
    for key in ("token_env", "password_env", "username_env"):
        if key in known and (variable := params.get(key)):
            yield from _variable(str(variable), f"{_place(key, subject)}.{key}", subject)


def _place(key: str, subject: Subject) -> str:
    ours = subject.config.run_config.mlflow.request_header_provider_params
    return _SECTION if key in ours else f"{_WHERE}.init_kwargs"


def _variable(name: str, where: str, subject: Subject) -> Iterator[Finding]:
    """A variable that no pod gets; an image may have it, so this is no error."""
    env = subject.config.run_config.env
    if not any(name in (variables or {}) for variables in env.values()):
        yield Finding(
            "mlflow-login-variable",
            "warning",
            f"The variable {name} is given to no step, unless the image has it",
            where,
            f"give it from a secret: run_config.env, __default__, {name}: {{secret: …, key: …}}",
        )
