"""A step's log has nothing that nobody can mend, and all that is the project's own."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import logging, os, sys, warnings
from kedro_kubeflow.runtime.quiet import quiet
quiet()
logging.basicConfig(stream=sys.stdout, format="%(message)s", level="INFO")
hook = logging.getLogger("kedro_mlflow.framework.hooks.mlflow_hook")
hook.warning("The mlflow run '0c45' is already active. Configuration is inferred")
hook.warning("    mlflow_config.server.mlflow_tracking_uri='http://x'".strip())
hook.warning("something of mine")
hook.error("The mlflow run '0c45' is already active.")
logging.getLogger("kedro.validation.type_extractor").warning("Could not extract type hints from function %s: %s", "f", "x")
logging.getLogger("project").warning("Could not extract type hints from function f: x")
warnings.warn("pkg_resources is deprecated as an API", stacklevel=1)
warnings.warn("my own", stacklevel=1)
print(os.environ["COLUMNS"], os.environ["GIT_PYTHON_REFRESH"])
"""


def test_what_is_left_out() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "GIT_PYTHON_REFRESH"} | {"COLUMNS": "123"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "something of mine",
        "The mlflow run '0c45' is already active.",
        "Could not extract type hints from function f: x",
        "123 quiet",
    ]
    assert "my own" in done.stderr
    assert "pkg_resources" not in done.stderr
