"""The project's configuration as plain values: parameters, catalog entries, kubeflow.yml, mlflow.yml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kedro_kubeflow.errors import ConfigError, ParameterError, did_you_mean
from kedro_kubeflow.project.partial import resolvers_may_fail

LEFT_TO_THE_RUN = "kedro_kubeflow_left_to_the_run"
"""The attribute of a config loader that is not a step's: what it could not work out, a sentence each."""


def read_section(loader: Any, key: str, *, missing: Any = None) -> Any:
    """One section of the configuration, environments merged, interpolations resolved.

    Outside of a run, what a resolver cannot give is not known: ``UNKNOWN`` stands for it. What is for the plugin itself must be.

    Args:
        missing: what to give where no file of that section exists.

    Raises:
        ConfigError: a file cannot be parsed, or an interpolation in it cannot be resolved.
    """
    from kedro.config import MissingConfigException

    try:
        with _what_is_known(loader, key):
            return loader[key]
    except MissingConfigException as error:
        if "does not exist" in str(error):
            raise _missing_environment(loader, error) from None
        return missing
    except KeyError:
        return missing
    except Exception as error:
        raise ConfigError(
            f"The {key} configuration cannot be read: {one_line(error)}",
            where=_file_of(error) or f"{getattr(loader, 'conf_source', 'conf')}, {key}*.yml",
            cure=_cure(error),
        ) from error


def _what_is_known(loader: Any, key: str) -> AbstractContextManager[None]:
    left: list[str] | None = getattr(loader, LEFT_TO_THE_RUN, None)
    if key in ("kubeflow", "vertexai") or left is None:
        return nullcontext()
    return resolvers_may_fail(key, left)


def _cure(error: Exception) -> str | None:
    """What to do about a resolver that is not there: Kedro has ``oc.env`` for credentials alone."""
    if type(error).__name__ != "UnsupportedInterpolationType":
        return None
    return (
        "register the resolver in settings.py (CONFIG_LOADER_ARGS, custom_resolvers), as "
        '{"oc.env": omegaconf.resolvers.oc.env}; Kedro itself knows oc.env in credentials*.yml alone'
    )


def _missing_environment(loader: Any, error: Exception) -> ConfigError:
    source = Path(str(getattr(loader, "conf_source", "conf")))
    known = sorted(p.name for p in source.iterdir() if p.is_dir()) if source.is_dir() else []
    env = str(getattr(loader, "env", "") or "")
    if env and known and env not in known:
        return ConfigError(
            f"The project has no configuration environment {env!r}. {did_you_mean(env, known)}",
            where=str(source),
            cure="mend --env (or KEDRO_ENV), or make that folder",
        )
    return ConfigError(
        " ".join(str(error).split()),
        where=str(source),
        cure="make that folder, with a file in it: images lack empty ones, and what .gitignore or .dockerignore keeps out",
    )


def read_parameters(loader: Any) -> dict[str, Any]:
    """Top-level parameter → value, with the loader's run-time parameters merged in as Kedro merges them.

    Raises:
        ConfigError: they cannot be read.
        ParameterError: they can, but not with the run-time parameters.
    """
    from omegaconf import OmegaConf

    given = getattr(loader, "runtime_params", None)
    try:
        values = read_section(loader, "parameters", missing=None)
    except ConfigError as error:
        if not given or not _is_readable_without(given, loader):
            raise
        raise ParameterError(
            f"The given parameters do not go together with the project's: {error.what.partition(': ')[2] or error.what}",
            where=f"{', '.join('.'.join(path) for path in _leaves(given))}, over conf, parameters*.yml",
            cure="give plain values, a list as a whole (--param 'x=[a, b]'), a mapping for a mapping; "
            "what ${…} refers to must be there",
        ) from error
    if values is None:
        values = dict(getattr(loader, "runtime_params", None) or {})
    container: Any = OmegaConf.to_container(values, resolve=True) if OmegaConf.is_config(values) else values
    return dict(container)


def _is_readable_without(given: Mapping[str, Any], loader: Any) -> bool:
    loader.runtime_params = {}
    try:
        read_section(loader, "parameters")
    except ConfigError:
        return False
    finally:
        loader.runtime_params = given
    return True


def read_kubeflow(loader: Any) -> dict[str, Any]:
    """What kubeflow.yml says; ``${oc.env:NAME}`` in it stands for an environment variable.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    with _environment_variables():
        data = read_section(loader, "kubeflow", missing=None)
    if data is None:
        raise ConfigError(
            "The project has no kubeflow.yml",
            where=f"{getattr(loader, 'conf_source', 'conf')}/{getattr(loader, 'base_env', '') or 'base'}/kubeflow.yml",
            cure="`kedro kubeflow init` writes one",
        )
    if not isinstance(data, Mapping):
        raise ConfigError("kubeflow.yml must be a mapping of keys to values", where="conf, kubeflow*.yml")
    return dict(data)


@contextmanager
def _environment_variables() -> Iterator[None]:
    """Let ``${oc.env:…}`` be resolved while the block runs: Kedro's loader has it for credentials alone.

    https://omegaconf.readthedocs.io/en/latest/custom_resolvers.html#oc-env
    """
    from omegaconf import OmegaConf
    from omegaconf.resolvers import oc

    if OmegaConf.has_resolver("oc.env"):
        yield  # The project has registered one of its own.
        return
    # OmegaConf 2.4 renamed the function and warns of the old name.
    register = getattr(OmegaConf, "register_resolver", None) or OmegaConf.register_new_resolver
    register("oc.env", oc.env)
    try:
        yield
    finally:
        OmegaConf.clear_resolver("oc.env")


def read_vertexai(loader: Any) -> dict[str, Any] | None:
    """What a vertexai.yml of kedro-vertexai says, environments merged as there; None where there is none.

    Raises:
        ConfigError: it cannot be read.
    """
    if hasattr(loader, "config_patterns"):
        loader.config_patterns.setdefault("vertexai", ["vertexai*", "vertexai*/**"])
    with _environment_variables():
        data = read_section(loader, "vertexai", missing=None)
    if data and not isinstance(data, Mapping):
        raise ConfigError("vertexai.yml must be a mapping of keys to values", where="conf, vertexai*.yml")
    # Where the base environment alone is read, Kedro gives a section without files as an empty one.
    return dict(data) if data else None


def unknown_overrides(overrides: Mapping[str, Any], known: Mapping[str, Any], asked: Iterable[str]) -> list[str]:
    """A word on each override that no parameter of the project has the name of; Kedro takes it, and so it may be a typo.

    Args:
        overrides: what the caller gave, nested.
        known: the project's parameters without them.
        asked: the names that the configuration asks for with ``${runtime_params:…}``.
    """
    referred = set(asked)
    unknown = [
        ".".join(path)
        for path in _leaves(overrides)
        if not (_known(path, known) or any(".".join(path[: i + 1]) in referred for i in range(len(path))))
    ]
    names = list(_names(known))
    near = {name: get_close_matches(name, names, n=1, cutoff=0.75) for name in unknown}
    return [
        f"The project's configuration has no parameter {name!r}"
        + (f"; there is {near[name][0]!r}, if that is meant" if near[name] else ": it is new in this run")
        for name in unknown
    ]


def _leaves(values: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterable[tuple[str, ...]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*prefix, str(key)))
        else:
            yield (*prefix, str(key))


def _known(path: tuple[str, ...], values: Any) -> bool:
    """Whether the path, or a mapping that it adds a key to below the top level, is there."""
    if ".".join(path) in values:
        return True
    for depth, part in enumerate(path):
        if depth and not values and not isinstance(values, bool | int | float | str):
            # Something may be put into what is null or empty; anywhere else a new name is a typo.
            return True
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


def _names(values: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{key}.")


def one_line(error: BaseException) -> str:
    """An error's kind and its words, on one line."""
    return f"{type(error).__name__}: " + " ".join(str(error).split())


def _file_of(error: BaseException) -> str | None:
    """The file that a YAML error points at."""
    mark = getattr(error, "problem_mark", None) or getattr(error.__cause__, "problem_mark", None)
    # Kedro reads files as streams, so that YAML itself does not know their names; Kedro's message does.
    named = re.search(r"(\S+\.(?:ya?ml|json))", str(error))
    if mark is None:
        return named.group(1) if named else None
    return f"{named.group(1) if named else mark.name}, line {mark.line + 1}"
