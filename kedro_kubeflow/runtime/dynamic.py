"""Configuration that is made in the pod: providers run when a task starts, and what they give holds for its process alone.

It is laid over what the project's config loader reads
(https://docs.kedro.org/en/stable/configure/configuration_basics/), so every part of Kedro and every plugin sees it, and no file
is written.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from kedro_kubeflow.errors import ProjectError

_WHERE = "kubeflow.yml, run_config.dynamic_config_providers"


@dataclass(frozen=True)
class Provided:
    """What one provider has made.

    Attributes:
        section: what the config loader calls it, such as ``credentials``.
        merged: puts it over what is there.
    """

    section: str
    provider: Any
    values: Mapping[str, Any]

    def over(self, existing: Mapping[str, Any]) -> dict[str, Any]:
        """The section with what was made laid over it; the provider's own ``merge_with_existing`` goes first."""
        own = getattr(self.provider, "merge_with_existing", None)
        return dict(own(existing, self.values) if own else _laid_over(existing, self.values))

    def __repr__(self) -> str:
        # What is made is most often secret.
        return f"Provided({self.section!r})"


def install(providers: Sequence[Mapping[str, Any]]) -> None:
    """Run the providers, and lay what they give over the configuration of every loader of this process.

    Raises:
        ProjectError: a provider cannot be imported, or fails.
    """
    from kedro.framework.project import settings

    made = [_provided(str(p["cls"]), p.get("params") or {}) for p in providers]
    if made:
        settings.set("CONFIG_LOADER_CLASS", providing(settings.CONFIG_LOADER_CLASS, made))


def providing(loader_class: Any, made: Sequence[Provided]) -> Any:
    """A config loader class that gives what was made with what it reads."""

    class ProvidingLoader(loader_class):  # type: ignore[misc]
        """Sections with what providers have made; what is set explicitly is given as it is."""

        def __getitem__(self, key: str) -> Any:
            own = [provided for provided in made if provided.section == key]
            if not own or key in self:
                return super().__getitem__(key)
            section = _existing(super().__getitem__, key)
            for provided in own:
                section = provided.over(section)
            return section

    ProvidingLoader.__name__ = loader_class.__name__
    return ProvidingLoader


def _existing(read: Any, key: str) -> Any:
    from kedro.config import MissingConfigException

    try:
        return read(key)
    except (KeyError, MissingConfigException):
        return {}


def _provided(path: str, params: Mapping[str, Any]) -> Provided:
    cls = _imported(path)
    try:
        provider = cls(**params)
        values = provider.generate_config()
        section = PurePosixPath(str(getattr(provider, "target_config_file", None) or "credentials.yml")).stem
    except Exception as error:
        raise ProjectError(
            f"The provider of dynamic configuration fails: {type(error).__name__}: {error}", where=f"{path} ({_WHERE})"
        ) from error
    if not isinstance(values, Mapping):
        raise ProjectError(
            f"`generate_config` gives a {type(values).__name__}, and a mapping is needed", where=f"{path} ({_WHERE})"
        )
    return Provided(section, provider, values)


def _imported(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ProjectError(
            f"The provider of dynamic configuration cannot be imported: {error}",
            where=f"{path} ({_WHERE})",
            cure="mend the class path, or add its package to the image's requirements",
        ) from error
    if not (inspect.isclass(found) and hasattr(found, "generate_config")):
        raise ProjectError(
            "The provider of dynamic configuration is no class with a method `generate_config`",
            where=f"{path} ({_WHERE})",
        )
    return found


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _laid_over(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged
