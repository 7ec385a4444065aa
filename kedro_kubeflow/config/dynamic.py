"""``run_config.dynamic_config_providers``: configuration that is made in the pod."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator

from kedro_kubeflow.config.model import Model


class DynamicConfigProvider(Model):
    """A class whose instance makes a part of the configuration when a step starts, credentials as a rule. What it gives is
    merged over what is there, for that process alone, and is written nowhere.

    The class has a method `generate_config()`, which gives a mapping, and may have an attribute `target_config_file`, the
    section that the mapping belongs to (`credentials.yml` where there is none).
    """

    cls: str
    """The class: `package.module.Class`."""

    params: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments. They stand in the compiled pipeline, so a secret is not for here: the class reads it in the pod."""

    @field_validator("cls")
    @classmethod
    def _path(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value):
            raise ValueError(f"{value!r} is no class path; write package.module.Class")
        return value
