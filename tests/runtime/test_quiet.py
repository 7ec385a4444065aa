"""A step's log has nothing that nobody can mend, and all that is the project's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

RESOLVER = (
    "register_new_resolver() is deprecated and will be removed in a future release.\nUse register_resolver() instead.\n"
)
RESOURCES = "pkg_resources is deprecated as an API. See https://setuptools.pypa.io/en/latest/pkg_resources.html"
NAMESPACE = "Deprecated call to `pkg_resources.declare_namespace('google')`."
GENCODE = (
    "Protobuf gencode version 5.27.2 is exactly one major version older than the runtime version 6.31.1 at "
    "google/api/client.proto. Please update the gencode to avoid compatibility violations in the next runtime release."
)
HINTS = (
    "/app/site-packages/mlflow/pyfunc/utils/data_validation.py:186: UserWarning: Add type hints to the `predict` method to "
    "enable data validation"
)
HOOK, TYPES = "kedro_mlflow.framework.hooks.mlflow_hook", "kedro.validation.type_extractor"
# Each that is left out: its text and the module that is blamed.
WARNED = [
    (RESOLVER, "kedro.config.omegaconf_config"),
    (RESOURCES, "anyconfig.processors"),
    (RESOURCES, "fs"),
    (NAMESPACE, "google.rpc"),
    (NAMESPACE, "pkg_resources"),
    (GENCODE, "google.protobuf.runtime_version"),
    ("Protobuf gencode version 4.1 is older than the runtime version 5.0", "google.protobuf.runtime_version"),
]
# Each that is left out where it is logged as a warning: the logger and its text.
LOGGED = [
    ("py.warnings", HINTS),
    ("py.warnings", HINTS.replace("Add type", "\x1b[33mAdd type")),
    (HOOK, "The mlflow run '0c45' is already active. Configuration is inferred"),
    (HOOK, "mlflow_config.server.mlflow_tracking_uri='http://x'"),
    (HOOK, "A mlflow run was already active"),
    (HOOK, "The run 0c45 was already opened before launching 'kedro run'"),
    (TYPES, "Could not extract type hints from function f: x"),
]
CODE = """
import json, logging, sys, warnings
from kedro_kubeflow.runtime.quiet import quiet

class Heard(logging.Handler):
    def emit(self, record):
        heard.append(record.getMessage())

warnings.simplefilter("always")
quiet()
logging.basicConfig(handlers=[Heard()], level="INFO")
cases, heard, found = json.load(sys.stdin), [], []
for kind, text, origin in cases:
    heard.clear()
    if kind == "warning":
        with warnings.catch_warnings(record=True) as caught:
            warnings.warn_explicit(text, UserWarning, "x.py", 1, module=origin, registry={})
        heard += [str(one.message) for one in caught]
    else:
        getattr(logging.getLogger(origin), kind)("%s", text)
    found.append(bool(heard))
json.dump(found, sys.stdout)
"""


def shown(cases: list[tuple[str, str, str]]) -> list[bool]:
    """Whether each is to be read in a step's log; its kind, its text, and its module or logger."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], input=json.dumps(cases), capture_output=True, text=True, check=True
    )
    found: list[bool] = json.loads(done.stdout)
    return found


def test_what_no_user_can_mend_is_left_out() -> None:
    assert not any(shown([("warning", text, module) for text, module in WARNED]))
    assert not any(shown([("warn", text, logger) for logger, text in LOGGED]))


def test_the_same_text_of_the_project_is_shown() -> None:
    """By message and module: neither alone is enough."""
    texts = [text for text, _ in WARNED]
    assert all(shown([("warning", text, module) for text in texts for module in ("demo.nodes", "__main__", "fsspec")]))
    assert all(shown([("warn", text, logger) for _, text in LOGGED for logger in ("demo", "mlflow", "kedro.io")]))


def test_anything_else_of_the_same_module_is_shown() -> None:
    """Also of the same text, where it is more than a warning."""
    others = [("warning", "something of its own", module) for _, module in WARNED]
    others += [("warning", f"But {text}", module) for text, module in WARNED]
    others += [("warn", "something of its own", logger) for logger, _ in LOGGED]
    others += [(level, text, logger) for level in ("info", "error") for logger, text in LOGGED]
    assert all(shown(others))


ENVIRONMENT = {"COLUMNS": "200", "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}


@pytest.mark.parametrize("of_image", [{}, {"COLUMNS": "123"}, dict.fromkeys(ENVIRONMENT, "mine")])
def test_the_environment_is_set_where_the_image_has_not(of_image: Mapping[str, str]) -> None:
    code = (
        "import json, os; from kedro_kubeflow.runtime.quiet import quiet; quiet(); print(json.dumps(dict(os.environ)))"
    )
    given = {k: v for k, v in os.environ.items() if k not in ENVIRONMENT} | dict(of_image)
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert {name: found[name] for name in ENVIRONMENT} == {**ENVIRONMENT, **of_image}
