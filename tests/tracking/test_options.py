"""What mlflow.yml and kubeflow.yml say of tracking, honoured by the pods; each test is a configuration environment."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import MlflowServer
from kedro_project import KedroProject, make_project
from mlflow import MlflowClient

from tracking.pods import MARK, Pods, Starter

PIPELINE = """
import os
import sys
import time
from pathlib import Path

import mlflow
from kedro.pipeline import Pipeline, node

def étape(raw, options, words):
    if os.environ.get("WAITS"):
        file = Path(os.environ["WAITS"])
        file.touch()
        while file.exists():
            time.sleep(0.05)
    if os.environ.get("EXITS"):
        sys.exit(0)
    mlflow.log_text(os.environ.get("FROM_CREDENTIALS", "nothing"), "credential.txt")
    return sum(raw)

def other(raw):
    if os.environ.get("OTHER_FAILS"):
        raise ValueError("other failed")
    return max(raw)

def create_pipeline():
    return Pipeline([
        node(étape, ["raw", "params:options", "params:words"], "total", name="étape"),
        node(other, "raw", "highest", name="other"),
    ])
"""
STEP = "etape-b4681107"
TAG = "kubeflow_step.étape-b4681107"
WORDS = "wide " * 2_000
Of = Callable[..., Pods]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, mlflow_server: MlflowServer) -> KedroProject:
    return make_project(
        tmp_path_factory.mktemp("options"),
        pipelines=PIPELINE,
        catalog={"raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"}},
        parameters={"options": {"lr": 0.5, "deep": {"x": 1}}, "words": WORDS},
        kubeflow={"run_config": {"image": "img:1", "mlflow": {"mark_success": "always"}}},
        mlflow={
            "server": {"mlflow_tracking_uri": mlflow_server.uri},
            "tracking": {"params": {"long_params_strategy": "truncate"}},
        },
    )


@pytest.fixture
def of(project: KedroProject, starter: Starter, mlflow_server: MlflowServer, tmp_path: Path) -> Of:
    """A run under a configuration environment of its own."""

    def make(
        env: str,
        tracking: dict[str, Any] | None = None,
        *,
        server: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
    ) -> Pods:
        options = {"params": {"long_params_strategy": "truncate"}, "experiment": {"name": f"options-{env}"}}
        address = {"mlflow_tracking_uri": mlflow_server.uri, **(server or {})}
        project.conf("mlflow", {"server": address, "tracking": {**options, **(tracking or {})}}, env=env)
        if run is None:
            return Pods(project, tmp_path / "run", starter, mlflow_server.uri, conf_env=env)
        project.conf("kubeflow", {"run_config": {"mlflow": run}}, env=env)
        return Pods(project, tmp_path / "run", starter, mlflow_server.uri, options=("-e", env))

    return make


def test_names_and_what_the_experiment_is_made_with(of: Of, tmp_path: Path) -> None:
    made_with = {"tags": {"team": "blue"}, "artifact_location": (tmp_path / "elsewhere").as_uri()}
    run = of(
        "named",
        {
            "run": {"name": "chosen", "nested": False},
            "experiment": {"name": "exp", "create_experiment_kwargs": made_with},
        },
    )
    run.start().ok()
    run.pod(STEP).ok()
    run.pod(MARK).ok()
    (made,) = run.runs()
    experiment = run.client.get_experiment(made.info.experiment_id)
    assert (experiment.name, experiment.tags["team"]) == ("exp", "blue")
    assert made.info.artifact_uri.startswith(made_with["artifact_location"])
    assert (made.info.run_name, made.info.status) == ("chosen", "FINISHED")
    assert made.data.tags["kubeflow_env"] == "named"
    assert made.data.tags["kedro_command"] == "kedro run --pipelines=__default__"


def test_a_deleted_experiment_is_restored(of: Of) -> None:
    run = of("restored")
    experiment = run.client.create_experiment("options-restored")
    run.client.delete_experiment(experiment)
    run.start().ok()
    assert run.run.info.experiment_id == experiment


def test_where_it_must_not_be_restored_that_is_an_error_with_its_cure(of: Of) -> None:
    run = of("gone", {"experiment": {"name": "options-gone", "restore_if_deleted": False}})
    run.client.delete_experiment(run.client.create_experiment("options-gone"))
    pod = run.start()
    assert pod.wait() == 5, pod.text
    assert "restore the run or its experiment" in pod.text


def test_a_run_that_mlflow_yml_names_is_gone_on_with(of: Of, mlflow_server: MlflowServer) -> None:
    client = MlflowClient(mlflow_server.uri)
    old = {"kubeflow_run_id": "older", "kubeflow_step.other": "failed after 1.0 s", "kubeflow_final_status": "FAILED"}
    named = client.create_run("0", run_name="mine", tags=old)
    client.set_terminated(named.info.run_id, "FAILED")
    run = of("resumed", {"run": {"id": named.info.run_id}})
    run.start().ok()
    assert run.mlflow_run_id == named.info.run_id
    assert run.run.info.status == "RUNNING"
    assert "kubeflow_step.other" not in run.tags
    run.pod(STEP).ok()
    run.pod(MARK).ok()
    assert (run.run.info.status, run.run.info.run_name) == ("FINISHED", "mine")
    assert run.tags["kubeflow_run_id"] == run.run_id
    assert run.runs() == [], "no other was made"


@pytest.mark.parametrize(
    ("strategy", "as_param", "as_tag"),
    [("truncate", WORDS[:6000], None), pytest.param("tag", None, WORDS[:8000], marks=pytest.mark.soak)],
)
def test_parameters_are_flattened_and_cut(of: Of, strategy: str, as_param: str | None, as_tag: str | None) -> None:
    params = {"dict_params": {"flatten": True, "sep": "-"}, "long_params_strategy": strategy}
    run = of(f"flat-{strategy}", {"params": params})
    run.start().ok()
    run.pod(STEP).ok()
    assert {k: v for k, v in run.run.data.params.items() if k != "words"} == {
        "options-lr": "0.5",
        "options-deep-x": "1",
    }
    assert run.run.data.params.get("words", "").strip() == (as_param or "").strip()
    assert run.tags.get("words", "").strip() == (as_tag or "").strip()


def test_a_parameter_that_is_too_long_fails_the_step_and_is_told(of: Of) -> None:
    run = of("long", {"params": {"long_params_strategy": "fail"}})
    run.start().ok()
    assert run.pod(STEP).wait() == 1
    assert run.tags["kubeflow_error"].startswith("ValueError: Parameter 'words' length is 10000")
    assert run.tags["kubeflow_failed_node"] == "étape"
    assert run.tags[TAG].startswith("failed after")


def test_credentials_reach_the_nodes(of: Of, project: KedroProject) -> None:
    project.conf("credentials", {"mlflow_login": {"FROM_CREDENTIALS": "secret-value"}}, env="creds")
    run = of("creds", server={"credentials": "mlflow_login"})
    run.start().ok()
    run.pod(STEP).ok()
    text = Path(run.client.download_artifacts(str(run.mlflow_run_id), "credential.txt")).read_text()
    assert text == "secret-value"
    assert "secret-value" not in str(run.tags) + json.dumps(run.spec)


def test_a_wrong_mlflow_yml_is_an_error_of_the_configuration(of: Of) -> None:
    run = of("wrong", {"run": {"nmae": "x"}})
    pod = run.start()
    assert pod.wait() == 2, pod.text
    assert "nmae" in pod.text
    assert "mlflow.yml" in pod.text


def test_the_environments_own_run_is_no_rival(of: Of, mlflow_server: MlflowServer) -> None:
    client = MlflowClient(mlflow_server.uri)
    foreign = client.create_run(client.create_experiment("foreign")).info.run_id
    run = of("rival")
    env = {"MLFLOW_RUN_ID": foreign}
    run.start(**env).ok()
    run.pod(STEP, **env).ok()
    run.pod(MARK, **env).ok()
    assert run.run.info.status == "FINISHED"
    assert client.get_run(foreign).data.params == {}
    assert client.get_run(foreign).info.status == "RUNNING"


def plugin_env(client: MlflowClient, run: Pods, server: str) -> tuple[str, dict[str, str]]:
    """The parent run that KFP's own plugin has made, and what a task's pod then has in its environment."""
    known = client.get_experiment_by_name("KFP-Default")
    experiment = known.experiment_id if known else client.create_experiment("KFP-Default")
    parent = client.create_run(experiment, run_name="kfp's", tags={"kfp.pipeline_run_id": run.run_id}).info.run_id
    nested = client.create_run(experiment, tags={"mlflow.parentRunId": parent}).info.run_id
    config = {"endpoint": server, "parentRunId": parent, "experimentId": experiment, "authType": "none"}
    return parent, {
        "KFP_MLFLOW_CONFIG": json.dumps({**config, "injectUserEnvVars": True}),
        "MLFLOW_RUN_ID": nested,
        "MLFLOW_EXPERIMENT_ID": experiment,
        "MLFLOW_TRACKING_URI": server,
    }


def test_the_run_of_kfps_own_plugin_is_adopted_and_left_to_it(of: Of, mlflow_server: MlflowServer) -> None:
    run = of("adopting")
    parent, env = plugin_env(run.client, run, mlflow_server.uri)
    run.start(**env).ok()
    assert run.mlflow_run_id == parent
    assert (run.tags["kubeflow_adopted"], run.tags["kubeflow_run_id"]) == ("true", run.run_id)
    run.pod(STEP, **env).ok()
    assert run.pod("other", OTHER_FAILS="yes", **env).wait() == 1
    run.end("FAILED", **env).red()
    assert (run.run.info.status, run.run.info.run_name) == ("RUNNING", "kfp's")
    assert run.tags["kubeflow_failed_node"] == "other"
    run.pod("other", **env).ok()
    run.pod(MARK, **env).ok()
    assert run.run.info.status == "RUNNING", "KFP's API server ends it"
    assert "kubeflow_failed_node" not in run.tags
    assert run.run.data.params["options"] == "{'lr': 0.5, 'deep': {'x': 1}}"
    (nested,) = (made for made in run.runs() if made.info.run_id != parent)
    assert not nested.data.params, "the task's own run stays as KFP made it"


def test_the_run_of_kfps_own_plugin_is_ignored_where_that_is_wanted(of: Of, mlflow_server: MlflowServer) -> None:
    run = of("ignoring", run={"kfp_native": "ignore"})
    parent, env = plugin_env(run.client, run, mlflow_server.uri)
    run.start(**env).ok()
    run.pod(STEP, **env).ok()
    run.pod("other", **env).ok()
    run.pod(MARK, **env).ok()
    assert run.mlflow_run_id != parent
    assert run.run.info.status == "FINISHED"
    assert run.client.get_experiment(run.run.info.experiment_id).name == "options-ignoring"
    assert "kubeflow_adopted" not in run.tags


def test_two_runs_at_once_are_refused(of: Of, mlflow_server: MlflowServer) -> None:
    named = MlflowClient(mlflow_server.uri).create_run("0").info.run_id
    run = of("two", {"run": {"id": named}})
    _, env = plugin_env(run.client, run, mlflow_server.uri)
    pod = run.start(**env)
    assert pod.wait() == 2, pod.text
    assert "tracking.run.id" in pod.text


def test_on_vertex_ai_the_tags_are_its_own(of: Of) -> None:
    run = of("vertex")
    run.start(CLOUD_ML_PROJECT_ID="1234").ok()
    assert (run.tags["vertexai_run_id"], run.tags["vertexai_job_name"]) == (run.run_id, run.name)
    assert "kubeflow_run_id" not in run.tags
    run.end("FAILED", error="The replica exited", CLOUD_ML_PROJECT_ID="1234").ok()
    assert run.run.info.status == "FAILED"
    assert run.tags["kubeflow_error"] == "The replica exited"


class TestLastTask:
    """`close_run: last_task`: no exit task; a failing step writes the end itself."""

    @pytest.fixture
    def run(self, of: Of) -> Pods:
        run = of("last", run={"close_run": "last_task"})
        run.start().ok()
        return run

    def test_a_failure_is_the_end_also_for_those_who_come_later(self, run: Pods, tmp_path: Path) -> None:
        waits = tmp_path / "waits"
        late = run.pod(STEP, WAITS=str(waits)).until(waits)
        assert run.pod("other", OTHER_FAILS="yes").wait() == 1
        assert run.run.info.status == "FAILED"
        waits.unlink()
        late.ok()
        assert run.run.info.status == "FAILED"
        run.pod("other").ok()
        assert run.run.info.status == "RUNNING", "the retried step has taken its word back"
        run.pod(MARK).ok()
        assert run.run.info.status == "FINISHED"

    def test_a_termination(self, run: Pods, tmp_path: Path) -> None:
        waits = tmp_path / "waits"
        pod = run.pod(STEP, WAITS=str(waits)).until(waits)
        pod.send(signal.SIGTERM)
        assert pod.wait() == 128 + signal.SIGTERM
        assert run.run.info.status == "FAILED", "nobody says that people have ended it"
        assert run.tags["kubeflow_final_status"] == "FAILED"
        assert "told to end" in run.tags["kubeflow_error"]
        assert run.tags["kubeflow_failed_node"] == "étape"

    def test_code_that_exits_has_failed(self, run: Pods) -> None:
        pod = run.pod(STEP, EXITS="yes")
        assert pod.wait() == 1, pod.text
        assert "sys.exit(0)" in pod.text
        assert run.run.info.status == "FAILED"
        assert "sys.exit(0)" in run.tags["kubeflow_error"]

    def test_a_step_that_fails_before_it_can_join(self, run: Pods, project: KedroProject) -> None:
        module = project.path / "src/demo/pipelines/main/__init__.py"
        source = module.read_text()
        module.write_text(f"import a_library_that_is_not_in_the_image\n{source}")
        try:
            assert run.pod(STEP).wait() == 2
        finally:
            module.write_text(source)
        assert run.run.info.status == "FAILED"
        assert "a_library_that_is_not_in_the_image" in run.tags["kubeflow_error"]
        assert run.tags["kubeflow_failed_node"] == "étape"
