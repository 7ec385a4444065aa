"""Whether kedro-mlflow tracks a pipeline of this project: found by its entry point, without importing it.

kedro-mlflow: https://kedro-mlflow.readthedocs.io/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.conf import read_section

PLUGIN = "kedro-mlflow"
MLFLOW_PATTERNS = ["mlflow*", "mlflow*/**", "**/mlflow*"]


@dataclass(frozen=True, kw_only=True)
class MlflowPlugin:
    """What there is of kedro-mlflow.

    Attributes:
        installed: whether its hooks will run in this project's sessions.
        importable: whether MLflow itself can be imported here.
        disabled: the pipelines that mlflow.yml leaves out (``tracking.disable_tracking.pipelines``).
        address: where mlflow.yml or the environment says that it logs to; None where neither does.
    """

    installed: bool = False
    importable: bool = False
    disabled: frozenset[str] = frozenset()
    address: str | None = None


def read_plugin(loader: Any, *, enabled: bool | str = "auto") -> MlflowPlugin:
    """Look for it, and into mlflow.yml.

    Args:
        enabled: ``run_config.mlflow.enabled`` of kubeflow.yml; where it is false, nothing is read.

    Raises:
        ConfigError: mlflow.yml cannot be read.
    """
    if enabled is False:
        return MlflowPlugin()
    if is_installed():
        disabled, address = frozenset(_disabled_pipelines(loader)), tracking_uri(loader)
        return MlflowPlugin(installed=True, importable=True, disabled=disabled, address=address)
    return MlflowPlugin(importable=find_spec("mlflow") is not None)


def is_installed() -> bool:
    """Whether kedro-mlflow's hooks will run in this project's sessions."""
    from kedro.framework.project import settings

    found = {ep.dist.name for ep in entry_points(group="kedro.hooks") if ep.dist}
    # Either mark may stand in a distribution's name, and Kedro's setting takes it to the letter.
    ours = {name for name in found if name.replace("_", "-") == PLUGIN}
    return bool(ours - set(settings.DISABLE_HOOKS_FOR_PLUGINS))


def switch_off() -> None:
    """Let kedro-mlflow's hooks run in none of the sessions that this process makes."""
    from kedro.framework.project import settings

    # Either mark may stand in a distribution's name, and Kedro's setting takes it to the letter.
    own = (PLUGIN, PLUGIN.replace("-", "_"))
    settings.set("DISABLE_HOOKS_FOR_PLUGINS", (*settings.DISABLE_HOOKS_FOR_PLUGINS, *own))


def mlflow_section(loader: Any) -> dict[str, Any]:
    """What mlflow.yml says, environments merged; empty where there is none.

    Raises:
        ConfigError: it cannot be read.
    """
    register_patterns(loader)
    section = read_section(loader, "mlflow", missing={}) or {}
    if not isinstance(section, Mapping):
        raise ConfigError("mlflow.yml must be a mapping of keys to values", where="conf, mlflow*.yml")
    for key in ("server", "tracking"):
        if not isinstance(section.get(key) or {}, Mapping):
            raise ConfigError(f"{key!r} must be a mapping of keys to values", where=f"conf, mlflow*.yml, {key}")
    return dict(section)


def register_patterns(loader: Any) -> None:
    """Let a config loader read mlflow.yml, as kedro-mlflow does when a context loads."""
    if hasattr(loader, "config_patterns"):
        loader.config_patterns.setdefault("mlflow", MLFLOW_PATTERNS)
    _stand_in_resolver()


def _stand_in_resolver() -> None:
    """kedro-mlflow registers ``km.random_name`` when a context loads; here nothing may depend on its value."""
    from omegaconf import OmegaConf

    if not OmegaConf.has_resolver("km.random_name"):
        # OmegaConf 2.4 renamed the function and warns of the old name.
        register = getattr(OmegaConf, "register_resolver", None) or OmegaConf.register_new_resolver
        register("km.random_name", lambda: "random-name")


def _disabled_pipelines(loader: Any) -> set[str]:
    tracking = mlflow_section(loader).get("tracking") or {}
    disabled = (tracking.get("disable_tracking") or {}).get("pipelines") or []
    return set(disabled)


def tracking_uri(loader: Any) -> str | None:
    """Where the project logs to, as far as its configuration or the environment says."""
    server = mlflow_section(loader).get("server") or {}
    return server.get("mlflow_tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI")


# Names of Databricks that are an address by themselves, and what else MLflow takes without a plugin.
_DATABRICKS = frozenset({"databricks", "databricks-uc", "uc"})
_SCHEMES = frozenset({"", "file", "http", "https", "sqlite", "postgresql", "mysql", "mssql"})


def is_folder(address: str) -> bool:
    """Whether an address of MLflow's is a folder of the machine that it is used on."""
    return address not in _DATABRICKS and urlsplit(address).scheme in ("", "file")


def unknown_scheme(address: str) -> str | None:
    """The scheme of an address that no MLflow knows, nor a plugin that is installed here; None where it is known."""
    scheme = urlsplit(address).scheme.partition("+")[0]
    known = _SCHEMES | _DATABRICKS | {point.name for point in entry_points(group="mlflow.tracking_store")}
    return None if scheme in known or len(scheme) == 1 else scheme  # A letter alone is a disk of Windows.


def refuses_folders() -> bool:
    """Whether the installed MLflow logs to no folder unless it is told to, told without importing it.

    https://mlflow.org/docs/latest/self-hosting/migrate-from-file-store
    """
    found = find_spec("mlflow")
    variables = Path(found.origin).with_name("environment_variables.py") if found and found.origin else None
    if variables is None or not variables.is_file() or os.environ.get(_ALLOWED, "").lower() in ("true", "1"):
        return False
    return _ALLOWED in variables.read_text("utf-8")


_ALLOWED = "MLFLOW_ALLOW_FILE_STORE"
