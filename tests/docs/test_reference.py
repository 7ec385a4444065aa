"""The generated pages of the reference say what the code says; REGENERATE=1 rewrites them."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from golden_file import check_golden

import kedro_kubeflow

PACKAGE = Path(kedro_kubeflow.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"
ENVIRONMENT = DOCS / "reference" / "environment-variables.md"

# What names of environment variables begin with; other text in capitals is KFP's, MLflow's or TLS's own.
PREFIXES = (
    "CLOUD_",
    "DEX_",
    "DO_NOT",
    "GCP_",
    "GOOGLE_",
    "IAP_",
    "KEDRO_",
    "KF_",
    "KFP_",
    "MLFLOW_",
    "REQUESTS_",
    "SSL_",
)
# Read by Kedro, MLflow, Google's, Kubernetes' or Python's own libraries; on the page because they matter here.
NOT_OURS = {
    "GOOGLE_APPLICATION_CREDENTIALS",
    "HTTPS_PROXY",
    "KEDRO_LOGGING_CONFIG",
    "MLFLOW_TRACKING_AUTH",
}


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_pages", DOCS / "reference_pages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_is_current(pages: ModuleType) -> None:
    check_golden("reference/cli.md", pages.cli_page(), root=DOCS)


def test_the_schemas_of_results_are_current(pages: ModuleType) -> None:
    """Each command with `--output json` has one; what commands print is held against them in `tests/cli/conftest.py`."""
    check_golden("reference/output.md", pages.output_page(), root=DOCS)
    files = dict(pages.schemas())
    (DOCS / "reference/output").mkdir(exist_ok=True)
    for name, text in files.items():
        check_golden(f"reference/output/{name}", text, root=DOCS)
    assert {p.name for p in (DOCS / "reference/output").iterdir()} == set(files)
    context = pages.click.Context(pages.kubeflow)
    commands = {name: pages.kubeflow.get_command(context, name) for name in pages.kubeflow.list_commands(context)}
    known = {name for name, command in commands.items() if any("--to" in p.opts for p in command.params)}
    assert {*(f"{name}.schema.json" for name in known), "status-timeline.schema.json"} == set(files)


def test_the_page_of_exit_codes_is_current(pages: ModuleType) -> None:
    check_golden("reference/exit-codes.md", pages.exit_codes_page(), root=DOCS)


def test_every_environment_variable_is_described() -> None:
    described = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", ENVIRONMENT.read_text("utf-8")))
    missing = {name: where for name, where in _variables() if name not in described}
    assert not missing, f"describe them in {ENVIRONMENT.name}"


def test_no_environment_variable_is_described_that_the_code_does_not_know() -> None:
    described = set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", ENVIRONMENT.read_text("utf-8"), re.MULTILINE))
    source = "\n".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    assert described
    assert {name for name in described if name not in source} <= NOT_OURS


def _variables() -> Iterator[tuple[str, str]]:
    """Every string of the package that looks like an environment variable's name."""
    for path in PACKAGE.rglob("*.py"):
        if "starters" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and text.startswith(PREFIXES) and re.fullmatch(r"[A-Z0-9_]*[A-Z0-9]", text):
                yield text, f"{path.relative_to(PACKAGE)}:{node.lineno}"
