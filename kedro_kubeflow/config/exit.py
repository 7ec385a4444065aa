"""What happens at the end of a run, whatever became of it: notifications."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import field_validator, model_validator

from kedro_kubeflow.config.model import Model

Outcome = Literal["succeeded", "failed", "cancelled"]
OUTCOMES: tuple[Outcome, ...] = ("succeeded", "failed", "cancelled")


class SecretUrl(Model):
    """A key of a Kubernetes secret."""

    name: str
    """The secret's name."""
    key: str
    """The key in it."""


class NotificationConfig(Model):
    """A message at the end of a run. Its address is a secret and stands here by reference: exactly one of the two keys."""

    type: Literal["webhook", "slack"]
    """`webhook`: a POST request with the facts as JSON. `slack`: a message to a Slack incoming webhook."""

    url_env: str | None = None
    """The environment variable that holds the address; `env` gives it to the exit task, from a secret."""

    url_secret: SecretUrl | None = None
    """The Kubernetes secret that holds the address, where no variable does."""

    when: tuple[Outcome, ...] = OUTCOMES
    """For which ends it is sent; `on` is the same."""

    @model_validator(mode="before")
    @classmethod
    def _on(cls, value: Any) -> Any:
        # YAML 1.1, which Kedro's loader reads, takes a bare `on` for true.
        if isinstance(value, Mapping):
            return {"when" if key is True or key == "on" else key: item for key, item in value.items()}
        return value

    @field_validator("url_env")
    @classmethod
    def _name(cls, value: str | None) -> str | None:
        # Said without the value: who writes an address here writes a secret.
        if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise ValueError("the name of an environment variable is needed here, not the address")
        return value

    @model_validator(mode="after")
    def _one(self) -> NotificationConfig:
        if (self.url_env is None) == (self.url_secret is None):
            raise ValueError("exactly one of `url_env` and `url_secret` is needed")
        return self
