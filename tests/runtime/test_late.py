"""What MLflow imports with itself and no step uses is loaded when it is used, and then is as it always was."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATE = "from kedro_kubeflow.runtime.late import import_late\nimport_late()\n"


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_not_loaded_with_mlflow() -> None:
    # What MLflow does with it while it is imported itself goes as it always does.
    known = """
import sys, mlflow
from mlflow.data.dataset_source_registry import _dataset_source_registry
print(sorted(source.__name__ for source in _dataset_source_registry.sources))
"""
    less = """
assert {"mlflow.genai", "mlflow.gateway"} <= set(sys.modules)
assert not {"mlflow.genai.judges", "mlflow.gateway.utils", "fastapi"} & set(sys.modules)
"""
    assert python(LATE + known + less) == python(known)


@pytest.mark.parametrize(
    "use",
    [
        "import mlflow; mlflow.genai.evaluate; mlflow.gateway.get_gateway_uri",
        "import mlflow; from mlflow.genai import evaluate",
        "import mlflow.genai.scorers; mlflow.genai.scorers.Scorer",
        "import mlflow.genai.judges; import mlflow",
        "import mlflow.store.tracking.sqlalchemy_store; import mlflow",
    ],
)
def test_it_is_loaded_when_it_is_used(use: str) -> None:
    whole = """
import sys, types
assert callable(mlflow.genai.evaluate)
assert type(mlflow.genai) is types.ModuleType and mlflow.genai is sys.modules["mlflow.genai"]
"""
    assert python(f"{LATE}{use}{whole}") == ""
