"""The public Python API, used as a script uses it: in a process of its own, since Kedro is configured for one project."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kedro_project import KedroProject, make_project

import kedro_kubeflow

HEAVY = {"kfp", "mlflow", "kedro", "pydantic", "requests", "kubernetes", "google.auth", "click", "rich", "yaml"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    return make_project(tmp_path_factory.mktemp("api"))


def test_compile_project_gives_what_the_command_writes(project: KedroProject) -> None:
    script = """
        from kedro_kubeflow import compile_project
        compiled = compile_project(PATH, parameters={"limit": 2})
        open("by_api.yaml", "w").write(str(compiled))
        print(compiled.name, compiled.parameters)
    """
    shown = _script(project, script)
    project.kedro("kubeflow", "compile", "--params", "limit=2", "-o", "by_command.yaml").ok()
    assert (project.path / "by_api.yaml").read_text() == (project.path / "by_command.yaml").read_text()
    assert shown.splitlines()[-1] == "demo {'limit': 2}"


def test_compile_project_takes_pipeline_image_and_environment(project: KedroProject) -> None:
    project.conf("parameters", {"limit": 3}, env="prod")
    script = """
        from kedro_kubeflow import compile_project
        compiled = compile_project(PATH, pipeline="main", image="registry.example.com/other:2", env="prod")
        print(compiled)
    """
    text = _script(project, script)
    spec = yaml.safe_load(text[text.index("# PIPELINE DEFINITION") :].split("---")[0])
    images = {e["container"]["image"] for e in spec["deploymentSpec"]["executors"].values()}
    assert images == {"registry.example.com/other:2"}
    assert spec["root"]["inputDefinitions"]["parameters"]["limit"]["defaultValue"] == 3
    assert spec["pipelineInfo"]["name"] == "demo-main"


def test_run_here_runs_it_and_tells_where_the_data_lies(project: KedroProject) -> None:
    script = """
        import json
        from kedro_kubeflow import run_here
        seen = []
        run = run_here(PATH, parameters={"limit": 3}, on_change=lambda run: seen.append(run.state))
        report = run.steps["total"].outputs["report"]
        print(json.dumps({"state": run.state, "seen": seen, "report": json.load(open(report)),
                          "steps": {s.step: s.state for s in run.steps.values()}, "folder": str(run.folder)}))
    """
    facts = json.loads(_script(project, script).splitlines()[-1])
    assert facts["state"] == "succeeded"
    assert facts["steps"] == {"prepare": "succeeded", "double": "succeeded", "total": "succeeded"}
    assert facts["report"] == {"total": 9}, "1 + 2, and twice that"
    assert (facts["seen"][0], facts["seen"][-1]) == ("running", "succeeded")
    assert Path(facts["folder"], "pipeline.yaml").is_file()


def test_run_here_gives_a_failed_run_rather_than_raising(tmp_path: Path) -> None:
    project = make_project(tmp_path, data={})
    script = """
        from kedro_kubeflow import run_here
        run = run_here(PATH)
        print(run.state, [s.step for s in run.failed], run.failed[0].log)
    """
    assert _script(project, script).splitlines()[-1].startswith("failed ['prepare'] ")


def test_errors_are_of_the_documented_root(project: KedroProject) -> None:
    script = """
        from kedro_kubeflow import KedroKubeflowError, compile_project
        try:
            compile_project(PATH, pipeline="mian")
        except KedroKubeflowError as error:
            print(type(error).__name__, "|", error.what)
    """
    shown = _script(project, script).splitlines()[-1]
    assert shown == "ProjectError | The project has no pipeline 'mian'. Did you mean 'main'?"


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys, kedro_kubeflow; kedro_kubeflow.__version__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_the_package_names_its_api() -> None:
    assert {"compile_project", "run_here"} <= set(dir(kedro_kubeflow))
    assert all(inspect.getdoc(getattr(kedro_kubeflow, name)) for name in kedro_kubeflow.__all__)
    with pytest.raises(AttributeError, match="compile_projekt"):
        kedro_kubeflow.compile_projekt  # noqa: B018
    assert (Path(kedro_kubeflow.__file__).parent / "py.typed").is_file()


def _script(project: KedroProject, text: str) -> str:
    return project.python("-c", f"PATH = {str(project.path)!r}\n" + inspect.cleandoc(text)).ok().out
