"""vertexai.yml of kedro-vertexai 1.0, read as what this package calls the same.

Every key of it is mapped, or refused with the reason and the cure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from kedro_kubeflow.config.selectors import DEFAULT, Known
from kedro_kubeflow.errors import ConfigError, did_you_mean

FILE = "vertexai.yml"
DEFAULT_SCHEDULE = "default_schedule"
_TEMPLATE_TTL = 604_800
_TOP = ("project_id", "region", "run_config")
_PLAIN = ("image", "description", "scheduled_run_name", "mlflow", "on_exit_pipeline")
_TO_VERTEXAI = ("service_account", "experiment_name", "experiment_description", "network")
_RUN_CONFIG = (
    *_PLAIN, *_TO_VERTEXAI, "root", "grouping", "ttl", "resources", "node_selectors", "dynamic_config_providers", "schedules",
)  # fmt: skip
_NO_GROUPING = "kedro_vertexai.grouping.IdentityNodeGrouper"
_TAG_GROUPING = "kedro_vertexai.grouping.TagNodeGrouper"
_SCHEDULE = {
    "cron_expression": "cron",
    "timezone": "timezone",
    "start_time": "start_time",
    "end_time": "end_time",
    "allow_queueing": "allow_queueing",
    "max_run_count": "max_run_count",
    "max_concurrent_run_count": "max_concurrency",
}
# What kedro-vertexai took where the file said nothing.
_SCHEDULE_DEFAULTS = {"cron_expression": "0 * * * *", "timezone": "Etc/UTC"}
_RESOURCE_DEFAULTS = {DEFAULT: {"cpu": "500m", "memory": "1024Mi"}}
_GONE = {
    "image_pull_policy": "Vertex AI pulls the image for each step; delete it",
    "max_cache_staleness": "its successor is `cache` in kubeflow.yml, by step",
    "store_kedro_outputs_as_kfp_artifacts": "files cross from step to step as artifacts always; delete it",
    "node_merge_strategy": "its successor is `grouping`",
    "vertex_ai_networking": "it is called `network`",
}
_PROVIDERS = ("MLFlowGoogleOAuthCredentialsProvider", "MLFlowGoogleIAMCredentialsProvider")


def from_kedro_vertexai(data: Mapping[str, Any], *, known: Callable[[], Known] = Known) -> dict[str, Any]:
    """kubeflow.yml that says the same.

    Args:
        data: the file's content, environments merged.
        known: gives what the project's nodes and tags are called, as kedro-vertexai took a bare name for either; asked only
            where the file has settings by name.

    Raises:
        ConfigError: a key is unknown, or has no meaning here.
    """
    _check_known(data, _TOP, "")
    run = data.get("run_config") or {}
    if not isinstance(run, Mapping):
        raise _refused("run_config", "it must be a mapping")
    _check_known(run, _RUN_CONFIG, "run_config.")
    _check_ttl(run.get("ttl"))
    vertexai = {key: data[key] for key in ("project_id", "region") if key in data}
    vertexai |= {key: run[key] for key in _TO_VERTEXAI if run.get(key) is not None}
    if run.get("root") is not None:
        vertexai["root"] = _root(run["root"])
    return {"vertexai": vertexai, "run_config": _run_config(run, known)}


def _run_config(run: Mapping[str, Any], known: Callable[[], Known]) -> dict[str, Any]:
    found = {key: run[key] for key in _PLAIN if run.get(key) is not None}
    if run.get("grouping"):
        found["grouping"] = _grouping(run["grouping"])
    if run.get("dynamic_config_providers"):
        found["dynamic_config_providers"] = [_provider(entry) for entry in run["dynamic_config_providers"]]
    if run.get("schedules"):
        found["schedules"] = {name: _schedule(name, entry) for name, entry in run["schedules"].items()}
    resources = _RESOURCE_DEFAULTS if run.get("resources") is None else run["resources"]
    by_name = {
        "resources": {k: _amounts(k, v or {}) for k, v in resources.items()},
        "node_selector": run.get("node_selectors"),
    }
    names = known() if any(set(table or ()) - {DEFAULT} for table in by_name.values()) else Known()
    return {**found, **{key: _selected(table, names) for key, table in by_name.items() if table}}


def _check_known(values: Mapping[str, Any], known: Collection[str], prefix: str) -> None:
    for key in values:
        if key in _GONE:
            raise _refused(f"{prefix}{key}", _GONE[key])
        if key not in known:
            raise ConfigError(
                f"unknown key {f'{prefix}{key}'!r}. {did_you_mean(str(key), known)}", where=f"conf, {FILE}"
            )


def _check_ttl(value: Any) -> None:
    # kedro-vertexai's own template wrote this number into every project, and nothing ever read it.
    if value is not None and value != _TEMPLATE_TTL:
        raise _refused(
            "run_config.ttl",
            "kedro-vertexai never read it: Vertex AI keeps jobs until somebody deletes them. Delete it, and give the bucket a "
            "lifecycle rule if artifacts are to go",
        )


def _root(value: Any) -> str:
    text = str(value)
    return text if "://" in text else f"gs://{text.strip('/')}"


def _grouping(value: Mapping[str, Any]) -> dict[str, Any]:
    cls, params = str(value.get("cls") or _NO_GROUPING), dict(value.get("params") or {})
    if cls == _NO_GROUPING:
        return {"by": "node"}
    if cls == _TAG_GROUPING:
        return {"by": "tag", **({"prefix": params["tag_prefix"]} if params.get("tag_prefix") else {})}
    raise _refused(
        "run_config.grouping.cls",
        f"{cls} was made with a Kedro context and gave kedro-vertexai's own type; write it as a function of nodes that gives "
        "`kedro_kubeflow.plan.grouping.Group`, and name it under `run_config.grouping.by` of kubeflow.yml",
    )


def _provider(entry: Mapping[str, Any]) -> dict[str, Any]:
    cls = str(entry.get("cls", ""))
    if cls.rpartition(".")[2] in _PROVIDERS:
        raise _refused(
            "run_config.dynamic_config_providers",
            f"{cls} wrote a token into a file, where it expired within the hour; name "
            "`kedro_kubeflow.auth.gcp.MLFlowGoogleOauthRequestHeaderProvider` (or …IAM…) under "
            "server.request_header_provider in mlflow.yml, with `client_id` as `init_kwargs`",
        )
    return {key: value for key, value in entry.items() if value is not None}


def _schedule(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    _check_known(entry, _SCHEDULE, f"run_config.schedules.{name}.")
    given = {key: value for key, value in entry.items() if not _is_none(value)}
    return {_SCHEDULE[key]: value for key, value in {**_SCHEDULE_DEFAULTS, **given}.items()}


def _amounts(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    _check_known(entry, ("cpu", "memory", "gpu"), f"run_config.resources.{name}.")
    given = {key: value for key, value in entry.items() if not _is_none(value)}
    gpus = given.pop("gpu", None)
    if gpus is not None and not re.fullmatch(r"\d+", str(gpus)):
        raise _refused(f"run_config.resources.{name}.gpu", f"{gpus!r} is no number")
    return {**given, **({"nvidia.com/gpu": int(gpus)} if gpus is not None else {})}


def _is_none(value: Any) -> bool:
    # kedro-vertexai's template wrote the word, which YAML reads as text.
    return value is None or str(value).strip().lower() == "none"


def _selected(table: Mapping[str, Any], known: Known) -> dict[str, Any]:
    selected: dict[str, Any] = {}
    for name, value in table.items():
        if name in known.tags:
            selected[f"tag:{name}"] = value
        if name not in known.tags or name in known.nodes:
            selected[name] = value
    return selected


def _refused(key: str, reason: str) -> ConfigError:
    return ConfigError(f"{key!r} cannot be had here: {reason}", where=f"conf, {FILE}")
