"""The starter, as a new user meets it: `kedro new` without a network, then a real `kedro run` of what it made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from kedro.framework.cli.starters import KedroStarterSpec

from kedro_kubeflow.config.kubeflow import read_config
from kedro_kubeflow.starters import starters

ALIAS = "kubeflow-quickstart"
MODELS = ("linear_model", "random_forest")

# No proxy answers there and no program is found: what needs a network or git fails at once.
OFFLINE = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "PATH": "", "DO_NOT_TRACK": "1"}

# Facts that only the project's own process can tell without leaving Kedro configured in this one.
DESCRIBE = """
import json, sys
from kedro.framework.project import pipelines, settings
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog

bootstrap_project(sys.argv[1])
loader = settings.CONFIG_LOADER_CLASS(conf_source=sys.argv[1] + "/conf", **settings.CONFIG_LOADER_ARGS)
catalog = DataCatalog.from_config(loader["catalog"])
names = sorted(pipelines["__default__"].datasets())
json.dump({
    "pipelines": {name: sorted(node.name for node in p.nodes) for name, p in pipelines.items()},
    "namespaces": sorted({node.namespace for node in pipelines["__default__"].nodes if node.namespace}),
    "edges": sorted(
        (parent.name, node.name)
        for node, parents in pipelines["__default__"].node_dependencies.items() for parent in parents
    ),
    "undeclared": [n for n in names if n not in catalog and not n.startswith("params:")],
    "factories": {n: catalog.config_resolver.resolve_pattern(n) for n in names if n.startswith("linear_model")},
    "parameters": loader["parameters"],
    "used": [n.removeprefix("params:") for n in names if n.startswith("params:")],
}, sys.stdout)
"""


def kedro(
    *words: str, cwd: Path, typed: str | None = None, env: Mapping[str, str] = OFFLINE
) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("KEDRO_", "MLFLOW_"))}
    done = subprocess.run(
        [sys.executable, "-m", "kedro", *words],
        cwd=cwd,
        env={**environ, **env},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter")
    kedro("new", "--starter", ALIAS, "--name", "Penguins", "--telemetry", "no", cwd=folder)
    return folder / "penguins"


@pytest.fixture(scope="module")
def facts(project: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DESCRIBE, str(project)], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout[done.stdout.index('{"pipelines"') :])


@pytest.fixture(scope="module")
def run(project: Path) -> Path:
    """The project after one `kedro run`."""
    kedro("run", cwd=project)
    return project


def test_kedro_lists_the_starter(tmp_path: Path) -> None:
    assert all(isinstance(spec, KedroStarterSpec) for spec in starters)
    listed = kedro("starter", "list", cwd=tmp_path).stdout
    own = listed[listed.index("Starters from kedro_kubeflow") :]
    assert ALIAS in own


def test_importing_the_starters_loads_no_heavy_library() -> None:
    code = "import sys, kedro_kubeflow.starters; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"kfp", "mlflow", "pandas", "kubernetes", "google.auth", "pydantic", "cookiecutter"} & set(loaded)


def test_kedro_asks_for_the_name_alone(tmp_path: Path) -> None:
    shown = kedro("new", "--starter", ALIAS, cwd=tmp_path, typed="My First Penguins\n").stdout
    assert "Project Name" in shown
    assert "[Kubeflow Quickstart]" in shown
    assert (tmp_path / "my-first-penguins/src/my_first_penguins/pipeline_registry.py").is_file()


def test_a_project_of_kedro_is_made(project: Path) -> None:
    for path in (
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "requirements.txt",
        "conf/base/catalog.yml",
        "conf/base/kubeflow.yml",
        "conf/base/mlflow.yml",
        "conf/local/.gitkeep",
        "data/01_raw/penguins_raw.csv",
        "data/01_raw/README.md",
        "data/08_reporting/.gitkeep",
        "src/penguins/settings.py",
    ):
        assert (project / path).is_file(), path
    unfilled = [p for p in project.rglob("*") if p.is_file() and b"cookiecutter" in p.read_bytes()]
    assert not unfilled
    assert not list(project.rglob("__pycache__"))


def test_the_raw_data_name_their_source_and_licence(project: Path) -> None:
    raw = project / "data/01_raw/penguins_raw.csv"
    assert len(pd.read_csv(raw)) == 344
    told = (raw.parent / "README.md").read_text("utf-8")
    assert "CC0 1.0" in told
    assert "palmerpenguins" in told


def test_kubeflow_yml_names_the_projects_image_and_no_host(project: Path) -> None:
    config = yaml.safe_load((project / "conf/base/kubeflow.yml").read_text("utf-8"))
    assert set(config) == {"run_config"}
    assert set(config["run_config"]) == {"image", "image_pull_policy", "experiment_name", "run_name", "description"}
    assert read_config(config).run_config.image == "penguins:latest"


def test_the_pipelines_branch_and_join(facts: dict[str, Any]) -> None:
    assert set(facts["pipelines"]) == {"__default__", "data_processing", "data_science", "reporting"}
    assert facts["pipelines"]["__default__"] == sorted(
        [
            "clean_penguins",
            "create_model_input",
            "split_data",
            *(f"{model}.{step}" for model in MODELS for step in ("train_model", "evaluate_model")),
            "compare_models",
            "plot_measurements",
            "plot_predictions",
        ]
    )
    assert facts["namespaces"] == sorted(MODELS)
    edges = {tuple(edge) for edge in facts["edges"]}
    assert {("split_data", f"{model}.train_model") for model in MODELS} <= edges
    assert {(f"{model}.evaluate_model", "compare_models") for model in MODELS} <= edges


def test_the_catalog_has_factories_and_leaves_some_data_in_memory(facts: dict[str, Any]) -> None:
    assert facts["undeclared"] == ["x_test", "x_train", "y_test", "y_train"]
    found = facts["factories"]
    assert set(found) == {"linear_model.regressor", "linear_model_metrics", "linear_model_predictions"}
    assert found["linear_model.regressor"] == {
        "type": "pickle.PickleDataset",
        "filepath": "data/06_models/linear_model_regressor.pickle",
        "versioned": True,
    }


def test_the_parameters_are_of_every_type_and_all_are_used(facts: dict[str, Any]) -> None:
    parameters = facts["parameters"]
    assert {type(value) for value in parameters.values()} == {bool, int, float, str, list, dict}
    assert parameters["random_forest"]["model_options"]["settings"]["max_depth"] is None
    assert {name.partition(".")[0] for name in facts["used"]} == set(parameters)


def test_a_run_leaves_models_metrics_and_plots(run: Path) -> None:
    reports = run / "data/08_reporting"
    for model in MODELS:
        assert len(list((run / f"data/06_models/{model}_regressor.pickle").glob(f"*/{model}_regressor.pickle"))) == 1
        metrics = json.loads((reports / f"{model}_metrics.json").read_text("utf-8"))
        assert 200 < metrics["mae"] < metrics["rmse"] < 400, "grams"
        assert 0.75 < metrics["r2"] < 0.95
    comparison = pd.read_csv(reports / "model_comparison.csv")
    assert sorted(comparison["model"]) == sorted(MODELS)
    assert comparison["rmse"].is_monotonic_increasing
    assert (reports / "predictions_plot.png").read_bytes().startswith(b"\x89PNG")
    figure = json.loads((reports / "measurements_plot.json").read_text("utf-8"))
    assert sum(len(trace["x"]) for trace in figure["data"]) == 333, "all penguins of known sex"


def test_a_run_is_one_finished_run_of_mlflow_inside_the_project(run: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{run / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("penguins")
    assert experiment is not None
    (tracked,) = client.search_runs([experiment.experiment_id])
    assert tracked.info.status == "FINISHED"
    assert tracked.data.params["test_size"] == "0.25"
    assert tracked.data.params["random_forest.model_options.settings.max_depth"] == "None"
    assert set(tracked.data.metrics) == {
        f"test.{model}.{metric}" for model in MODELS for metric in ("rmse", "mae", "r2")
    }
    stored = json.loads((run / "data/08_reporting/linear_model_metrics.json").read_text("utf-8"))
    assert tracked.data.metrics["test.linear_model.rmse"] == pytest.approx(stored["rmse"])
    assert [file.path for file in client.list_artifacts(tracked.info.run_id)] == ["predictions_plot.png"]
    assert Path(tracked.info.artifact_uri).is_relative_to(run)


def test_each_pipeline_runs_by_itself_on_what_the_others_stored(run: Path) -> None:
    plot = run / "data/08_reporting/predictions_plot.png"
    plot.unlink()
    kedro("run", "--pipelines", "reporting", cwd=run)
    assert plot.is_file()


def test_git_keeps_the_raw_data_and_ignores_what_a_run_writes(run: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=run, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=run, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "data/01_raw/penguins_raw.csv" in listed
    assert "conf/local/.gitkeep" in listed
    written = [p for p in listed if p.startswith(("mlflow", "mlruns", "data/")) and not p.startswith("data/01_raw")]
    assert all(p.endswith(".gitkeep") for p in written), written


def test_the_projects_own_tests_pass(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
