"""What a cached step's result depends on beside its container and its inputs, and whether its image can be relied on.

KFP's key (kubeflow/pipelines ``backend/src/v2/cacheutils``) holds the image, the command with its arguments and the inputs, and
leaves environment variables out. The configuration environment stands in the arguments already; what is missing there goes
in as a digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from kedro_kubeflow.config.settings import StepSettings


def cache_key(settings: StepSettings, in_conf: Mapping[str, Any]) -> str:
    """A digest of a step's environment variables and of parameters that are no inputs.

    Args:
        in_conf: the parameters that are read from the project's conf, by name.
    """
    variables = {name: value if isinstance(value, str) else repr(value) for name, value in settings.env.items()}
    text = json.dumps([variables, _with_text_as_keys(in_conf)], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _with_text_as_keys(value: Any) -> Any:
    """Keys of other kinds as they are written, as keys of several kinds have no order."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else repr(key): _with_text_as_keys(item) for key, item in value.items()}
    return [_with_text_as_keys(item) for item in value] if isinstance(value, list) else value


def is_mutable(image: str) -> bool:
    """Whether an image reference may mean another image tomorrow.

    >>> is_mutable("registry:5000/demo"), is_mutable("demo:latest"), is_mutable("demo:1.2"), is_mutable("demo@sha256:0")
    (True, True, False, False)
    """
    if "@" in image:
        return False
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return not colon or tag == "latest"
