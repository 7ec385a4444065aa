"""What is imported when: the CLI taxes every `kedro` command, the runtime every pod."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kedro_project import make_project

HEAVY = {"kfp", "mlflow", "kubernetes", "google", "pydantic", "pandas", "requests", "kedro_mlflow", "kfp_server_api"}


def loaded_by(code: str, cwd: Path | None = None) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after some code."""
    # What an interpreter has from the start (namespace packages, by .pth files) is nobody's import.
    before = "import sys; before = {m.split('.')[0] for m in sys.modules}"
    after = "import json; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules} - before)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\n{code}\n{after}"], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_package_itself_is_nearly_free() -> None:
    assert not HEAVY & loaded_by("import kedro_kubeflow")


def test_loading_the_cli_loads_nothing_heavy() -> None:
    assert not (HEAVY | {"kedro"}) & loaded_by("import kedro_kubeflow.cli")


def test_nor_does_naming_every_command() -> None:
    # Kedro's telemetry walks through all commands of all plugins at every command.
    code = (
        "import click, kedro_kubeflow.cli as cli\n"
        "context = click.Context(cli.kubeflow)\n"
        "assert all(cli.kubeflow.get_command(context, n).get_help(context) for n in cli.kubeflow.list_commands(context))"
    )
    assert not HEAVY & loaded_by(code)


def test_the_hooks_load_kedro_alone() -> None:
    assert not (HEAVY - {"pydantic"}) & loaded_by("import kedro_kubeflow.hooks")


def test_the_starters_load_kedro_alone() -> None:
    assert not (HEAVY - {"pydantic", "requests"}) & loaded_by("import kedro_kubeflow.starters")


def test_compiling_loads_no_sdk(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    project.conf("kubeflow", {"host": "http://127.0.0.1:9", "run_config": {"image": "demo:1"}})
    code = (
        "from kedro_kubeflow.request import Request\n"
        "from kedro_kubeflow.targets.base.prepare import prepare\n"
        "assert prepare(Request()).compiled.text"
    )
    assert not {"kfp", "kubernetes", "kfp_server_api", "mlflow"} & loaded_by(code, cwd=tmp_path)


@pytest.mark.parametrize("tracked", [True, False])
def test_a_step_loads_neither_kfp_nor_the_compiler(tmp_path: Path, tracked: bool) -> None:
    mlflow = {"server": {"mlflow_tracking_uri": "sqlite:///mlflow.db"}} if tracked else None
    project = make_project(tmp_path, mlflow=mlflow)
    # In a process of its own: a fork would compile with what other tests have loaded here.
    project.kedro("kubeflow", "compile", "-o", "p.yaml").ok()
    code = (
        "import json, os, sys, yaml\n"
        "os.environ['KEDRO_KUBEFLOW_RUN_ID'] = 'r'\n"
        "from kedro_kubeflow.runtime.__main__ import main\n"
        "spec = next(yaml.safe_load_all(open('p.yaml')))\n"
        "def call(name, values, artifacts):\n"
        "    container = spec['deploymentSpec']['executors'][f'exec-{name}']['container']\n"
        "    argv = container['command'] + container['args']\n"
        "    made = {n: {'artifacts': [{'name': n, 'uri': f'out/{n}'}]} for n in artifacts}\n"
        "    message = {'inputs': {'parameterValues': values}, 'outputs': {'artifacts': made, 'outputFile': f'{name}.json'}}\n"
        "    argv[-1] = json.dumps(message)\n"
        "    assert main(argv[3:]) == 0\n"
        "values = {'limit': 3}\n"
        "if 'exec-mlflow-start-run' in spec['deploymentSpec']['executors']:\n"
        "    call('mlflow-start-run', {'kubeflow-run-id': 'r', 'kubeflow-run-name': 'n'}, ['mlflow-run'])\n"
        "call('prepare', values, ['rows', 'mlflow-metrics'])\n"
        "away = ('compiler', 'plan', 'targets', 'config', 'cli')\n"
        "left = [m for m in sys.modules if m.startswith(tuple('kedro_kubeflow.' + room for room in away))]\n"
        "assert not left, left\n"
        # Kedro itself imports every plugin's hooks, switched off or not; we import tracking only for a tracked pipeline.
        f"assert ('kedro_kubeflow.tracking' in sys.modules) == {tracked}"
    )
    loaded = loaded_by(code, cwd=tmp_path)
    assert not {"kfp", "kubernetes", "kfp_server_api"} & loaded
