"""``run_config.env``: environment variables of a step. What stands here is all that reaches a spec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag, WithJsonSchema

from kedro_kubeflow.config.model import Model

_OURS = "KEDRO_KUBEFLOW_"
_PLAIN = WithJsonSchema({"type": ["string", "number", "boolean"]})


class SecretKey(Model):
    """A variable from a Kubernetes secret: the reference travels, never the value."""

    secret: str
    """The secret's name."""
    key: str | None = None
    """The key in it; the variable's own name where it is not given."""
    optional: bool = False
    """Whether the step may start without it."""


class ConfigMapKey(Model):
    """A variable from a config map."""

    config_map: str
    """The config map's name."""
    key: str | None = None
    """The key in it; the variable's own name where it is not given."""
    optional: bool = False
    """Whether the step may start without it."""


class PodField(Model):
    """A variable from a field of the pod."""

    field: str
    """The field's path, such as `metadata.name` or `spec.nodeName`."""


def _literal(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        # Said without the value, which may be nobody's business.
        raise ValueError("a text or a number is needed, or one of `secret`, `config_map` and `field`")
    return str(value)


def _kind(value: Any) -> str:
    for name, model in (("secret", SecretKey), ("config_map", ConfigMapKey), ("field", PodField)):
        if isinstance(value, model) or (isinstance(value, Mapping) and name in value):
            return name
    return "value"


def _plain(value: str) -> str:
    if "{{" in value:
        raise ValueError("`{{` is the mark of Argo's own templates, which would be filled in")
    return value


def _named(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"{name!r} is no name of an environment variable")
        if name.startswith(_OURS):
            raise ValueError(f"{name!r} is set by the plugin itself")
    return value


EnvValue = Annotated[
    Annotated[str, BeforeValidator(_literal), AfterValidator(_plain), _PLAIN, Tag("value")]
    | Annotated[SecretKey, Tag("secret")]
    | Annotated[ConfigMapKey, Tag("config_map")]
    | Annotated[PodField, Tag("field")],
    Discriminator(_kind),
]
"""A literal, or where the value comes from."""

Environment = Annotated[dict[str, EnvValue | None], AfterValidator(_named)]
"""Variables by name."""
