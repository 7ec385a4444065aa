"""Each recorded answer of a real Kubeflow Pipelines 2.17.0, through the client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp_server.replay import replayed
from kfp_server.specs import package

from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError
from kedro_kubeflow.targets.base.schedule import Trigger
from kedro_kubeflow.targets.kubeflow import KubeflowClient, connect
from kedro_kubeflow.targets.kubeflow.connection import Patience
from kedro_kubeflow.targets.kubeflow.experiments import Experiment
from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRunRequest
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun, RunRequest
from kedro_kubeflow.targets.kubeflow.steps import PodStep
from kedro_kubeflow.targets.kubeflow.told import Report
from targets.kubeflow.conftest import settled
from targets.kubeflow.kubernetes_stand_in import kubernetes_stand_in

Ask = Callable[[KubeflowRun], Report]


def client_of(url: str, ask: Ask | None = None, **options: Any) -> KubeflowClient:
    client = connect(url, patience=Patience(connect=2, read=2, pauses=()), ask=ask, **options)
    client.server.connection.sleep = lambda _: None
    return client


def looked_at(name: str, ask: Ask | None = None) -> KubeflowRun:
    """A recorded run, which no log says anything of."""
    with replayed("log-api-wrong-pod.json", healthz="healthz-api.json", v2beta1_runs=name) as server:
        server.answers = {
            "/v2beta1/runs/": f"{name}.json",
            "healthz": "healthz-api.json",
            "versions/": "error-404-version.json",
        }
        return settled(client_of(server.url, ask), "x")


RUNS = {
    "run-succeeded-quickstart": ("SUCCEEDED", {"SUCCEEDED": 13}),
    "run-cached": ("SUCCEEDED", {"SUCCEEDED": 3, "CACHED": 3}),
    "run-failed": ("FAILED", {"SUCCEEDED": 3, "FAILED": 1, "SKIPPED": 2}),
    "run-failed-flat": ("FAILED", {"SUCCEEDED": 2, "FAILED": 1, "SKIPPED": 2}),
    "run-failed-before-start": ("FAILED", {"FAILED": 1, "SKIPPED": 5}),
    "run-no-service-account": ("FAILED", {"SKIPPED": 3}),
    "run-cancelled": ("CANCELED", {"SUCCEEDED": 2, "CANCELED": 1, "SKIPPED": 1}),
    "run-cancelled-image-pull": ("CANCELED", {"CANCELED": 1, "SKIPPED": 5}),
    "run-deadline": ("FAILED", {"SUCCEEDED": 2, "FAILED": 1, "SKIPPED": 1}),
    "run-step-timeout": ("FAILED", {"SUCCEEDED": 2, "FAILED": 1, "SKIPPED": 1}),
    "run-step-retries-labels": ("FAILED", {"FAILED": 3}),
    "run-exit-driver-failed-but-succeeded": ("SUCCEEDED", {"SUCCEEDED": 7, "FAILED": 1}),
    "run-retried": ("SUCCEEDED", {"SUCCEEDED": 4}),
    "run-workspace": ("SUCCEEDED", {"SUCCEEDED": 6}),
    # Their versions are gone: steps are told from Kubeflow's own nodes by the tasks' tree.
    "run-of-schedule": ("SUCCEEDED", {"SUCCEEDED": 1}),
    "run-of-version-with-parameters": ("SUCCEEDED", {"SUCCEEDED": 1}),
}


@pytest.mark.parametrize("name", RUNS)
def test_runs(name: str) -> None:
    run = looked_at(name)
    assert (run.state, Counter(step.state for step in run.steps)) == RUNS[name]
    assert run.ended
    assert run.finished_at


def test_the_steps_of_a_run_whose_version_is_gone() -> None:
    assert [step.name for step in looked_at("run-of-schedule").steps] == ["show-single"]


def test_the_run_that_took_too_long() -> None:
    assert (
        looked_at("run-deadline").error == "The run took longer than its deadline of 90 seconds (run_config.deadline)"
    )
    assert looked_at("run-failed").error is None
    assert looked_at("run-cancelled").error is None


def test_a_run_that_never_began_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Kubernetes refuses its first pod: Argo's word where a kubeconfig reaches it, else what to look at."""
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    run = looked_at("run-no-service-account")
    said = "No step has begun: the run's first pod, Kubeflow's driver, could not be made, or failed: "
    assert run.error == (
        f"{said}look at the service account 'no-such-account', quotas and admission rules: kubectl get workflows -n kubeflow "
        f"-l pipeline/runid={run.id} -o yaml"
    )
    why = 'pods "rs-nosa-system-dag-driver-1" is forbidden: error looking up service account kubeflow/no-such-account: '
    why += 'serviceaccount "no-such-account" not found'
    nodes = {"a": {"type": "Retry", "phase": "Error", "message": "No more retries left"}}
    nodes["b"] = {"type": "Pod", "phase": "Error", "message": why}
    with kubernetes_stand_in() as cluster:
        monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig(tmp_path / "config")))
        status = {"phase": "Error", "message": "No more retries left", "nodes": nodes}
        cluster.workflows[run.id] = {"metadata": {"name": "rs-nosa"}, "status": status}
        assert looked_at("run-no-service-account").error == f"{said}{why}"


def test_pods_by_name() -> None:
    steps = {s.name: s for s in looked_at("run-succeeded-quickstart").steps}
    assert "penguins-cli-znsgd-system-container-impl-922800690" in {p for s in steps.values() for p in s.pods}
    retried = {s.name: s.pods for s in looked_at("run-step-retries-labels").steps}
    assert len(retried["plain"]) == 3
    assert all("-retry-system-container-impl-" in pod for pod in retried["plain"])


class TestFrozen:
    """Runs whose tasks the server stopped telling of: too large for Argo to keep them readable."""

    def test_a_success_is_one_of_all_steps(self) -> None:
        run = looked_at("run-50-tasks-succeeded-details-frozen")
        assert run.state == "SUCCEEDED"
        assert not {"RUNNING", "WAITING", "PENDING"} & {s.state for s in run.steps}

    @pytest.mark.parametrize("name", ["run-200-tasks-workflow-too-large", "run-300-tasks-workflow-too-large-at-once"])
    def test_of_a_failure_nothing_is_made_up(self, name: str) -> None:
        run = looked_at(name)
        assert run.state == "FAILED"
        unknown = [s for s in run.steps if s.state == "UNKNOWN"]
        assert all("stopped telling" in (s.error or "") for s in unknown)
        assert not {"RUNNING", "WAITING", "PENDING"} & {s.state for s in run.steps}


def start(client: KubeflowClient) -> object:
    return client.runs.start(RunRequest(name="r", experiment=Experiment("1", "e"), source=package()))


def schedule(client: KubeflowClient) -> object:
    request = RecurringRunRequest(
        key="k", name="n", experiment=Experiment("1", "e"), pipeline_id="1", version_id=None, trigger=Trigger(cron="x")
    )
    return client.recurring_runs.create(request)


def _upload(client: KubeflowClient) -> object:
    return client.uploads.upload(package())


def _disable(client: KubeflowClient) -> object:
    with client.server.errors("get the schedule"):
        return client.server.recurring_runs.recurring_run_service_get_recurring_run("nosuch")


REFUSALS: dict[str, tuple[Callable[[KubeflowClient], object], str]] = {
    "error-400-cron.json": (schedule, "Expected 5 to 6 fields, found 7: TZ=Europe/Warsaw"),
    "error-400-malformed-json.json": (start, "unexpected EOF"),
    "error-400-no-pipeline.json": (start, "Failed to fetch a template with an empty pipeline spec manifest"),
    "error-400-parameter-type.json": (start, "input parameter count requires type double or integer"),
    "error-400-unknown-field.json": (start, 'unknown field "nosuchfield"'),
    "error-400-unknown-parameter.json": (start, "parameter.s. provided are not required by pipeline: nosuch"),
    "error-404-experiment.json": (start, "Experiment nosuch not found"),
    "error-404-run.json": (lambda c: c.runs.get("nosuch"), "Run nosuch not found"),
    "error-404-version.json": (lambda c: c.pipelines.version("1", "2"), "PipelineVersion nosuch not found"),
    "error-404-pipeline.json": (lambda c: list(c.pipelines.versions("1")), "Pipeline 0000.* not found"),
    "error-404-recurringrun.json": (_disable, "Job nosuch not found"),
    "error-400-upload-bad-name.json": (_upload, "Failed to create a pipeline and a pipeline version"),
    "error-409-upload-duplicate-pipeline.json": (_upload, "Failed to create a pipeline and a pipeline version"),
    "error-409-upload-duplicate-version.json": (_upload, "Failed to create a pipeline version"),
    "error-404-no-such-path.json": (lambda c: c.runs.get("x"), "Not Found"),
    "error-409-experiment.json": (lambda c: c.experiments.ensure("e2ecli"), "The name e2ecli already exists"),
    "error-retry-succeeded.json": (lambda c: c.runs.retry("x"), "Workflow must be Failed/Error to retry"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    call, words = REFUSALS[name]
    with replayed(name) as server:
        server.answers = {
            "healthz": "healthz-api.json",
            "experiments?": "experiments-none.json",
            "runs?": "runs-none.json",
            "/names/": "error-404-pipeline-by-name.json",
            **({":retry": name, "/runs/x": "run-succeeded-quickstart.json"} if "retry" in name else {}),
        }
        with pytest.raises(KedroKubeflowError, match=words):
            call(client_of(server.url))


def test_the_runs_of_a_page() -> None:
    with replayed("runs-page.json") as server:
        server.answers = {"healthz": "healthz-api.json"}
        found = list(client_of(server.url).runs.list(limit=5))
    assert found
    assert all(run.id and run.name and run.created_at for run in found)
    assert not {run.state for run in found} & {"UNKNOWN"}
    assert all((run.finished_at is None) is not run.ended for run in found)


def test_the_api_s_way_to_a_log_is_no_way_at_the_ui() -> None:
    """The UI's server answers it with a web page: it is not asked there, and its page is no log."""
    with replayed("log-ui-proxied-api-path.html") as server:
        server.answers = {"healthz": "healthz-ui.json"}
        with pytest.raises(ServerError, match="Could not read the log of 'clean'"):
            client_of(server.url).logs.of(RUN, STEP)
        assert not [path for path in server.asked if "v1alpha1" in path]


def test_a_pipeline_that_is_not_there() -> None:
    with replayed("error-404-pipeline-by-name.json", healthz="healthz-api.json") as server:
        assert client_of(server.url).pipelines.find("nosuch") is None


def test_a_schedule_that_is_not_there() -> None:
    with replayed("error-404-delete-recurringrun.json") as server:
        client_of(server.url).recurring_runs.delete("x")


def test_a_run_that_ended_before_it_was_terminated() -> None:
    with replayed("run-succeeded-quickstart.json") as server:
        server.answers = {":terminate": "error-terminate-ended.json"}
        client_of(server.url).runs.terminate("x")


@pytest.mark.parametrize(
    ("health", "ui"), [("healthz-api.json", False), ("healthz-ui.json", True), ("healthz-api-v1.json", False)]
)
def test_the_health_of_both_servers(health: str, ui: bool) -> None:
    with replayed(health) as server:
        found = client_of(server.url).server
        assert (found.version, found.multi_user, found.is_ui) == ("2.17.0", False, ui)
    with replayed(f"multi-user/{'ui-' if ui else ''}healthz.json") as server:
        assert client_of(server.url).server.multi_user


def test_pipelines_versions_and_experiments() -> None:
    with replayed("pipeline.json") as server:
        server.answers = {"/versions?": "pipeline-versions-page.json", "/versions/": "pipeline-version.json"}
        server.answers["healthz"] = "healthz-api.json"
        client = client_of(server.url)
        pipeline = client.pipelines.get("probe-chain")
        version = client.pipelines.version(pipeline.id, "x")
        assert version.digest == version.tags["spec_digest"]
        assert version.spec["pipeline_spec"]
        assert next(iter(client.pipelines.versions(pipeline.id))).created_at
    with replayed("experiments-page.json", healthz="healthz-api.json") as server:
        assert "Default" in client_of(server.url).experiments.names().values()
    with replayed("pipelines-page.json", healthz="healthz-api.json") as server:
        assert "probe-chain" in {p.name for p in client_of(server.url).pipelines.list()}


STEP = PodStep(name="clean", display_name="clean", state="SUCCEEDED", pods=("pod",))
RUN = KubeflowRun(id="1", name="r", state="SUCCEEDED", steps=(STEP,))


class TestLogs:
    @pytest.mark.parametrize("answer", ["log-api-right-pod.txt", "log-api-node-id.txt", "multi-user/log.txt"])
    def test_a_log(self, answer: str) -> None:
        with replayed(answer, healthz="healthz-api.json") as server:
            assert "publish success" in client_of(server.url).logs.of(RUN, STEP)

    @pytest.mark.parametrize("answer", ["multi-user/ui-log.txt", "multi-user/ui-log-pod-gone.txt"])
    def test_by_way_of_the_ui(self, answer: str) -> None:
        with replayed(answer, healthz="multi-user/ui-healthz.json") as server:
            text = client_of(server.url, namespace="team-a").logs.of(RUN, STEP)
            assert "hello alice" in text
            assert "podnamespace=team-a" in server.asked[-1]

    @pytest.mark.parametrize(
        ("answer", "health"),
        [
            ("log-api-wrong-pod.json", "healthz-api.json"),
            ("multi-user/log-no-such-node.json", "healthz-api.json"),
            ("log-ui-wrong-pod.html", "healthz-ui.json"),
            # A pod that ran, whose log the UI's server did not find in the store.
            ("log-ui-right-pod.txt", "healthz-ui.json"),
        ],
    )
    def test_one_that_is_nowhere(self, answer: str, health: str) -> None:
        with replayed(answer, healthz=health) as server, pytest.raises(ServerError, match="no log of it was archived"):
            client_of(server.url).logs.of(RUN, STEP)

    def test_of_a_run_that_is_not_there(self) -> None:
        with (
            replayed("log-api-no-such-run.json", healthz="healthz-api.json") as server,
            pytest.raises(ServerError, match="Run nosuch not found"),
        ):
            client_of(server.url).logs.of(RUN, STEP)

    def test_of_a_stranger(self) -> None:
        with (
            replayed("multi-user/ui-log-stranger.txt", healthz="multi-user/ui-healthz.json") as server,
            pytest.raises(KedroKubeflowError, match=r"Access denied to namespace|403"),
        ):
            client_of(server.url, namespace="team-a").logs.of(RUN, STEP)


@pytest.mark.parametrize("name", ["upload-view-only", "upload-no-header"])
def test_an_upload_that_is_refused(name: str) -> None:
    with replayed(f"multi-user/{name}.json", healthz="multi-user/healthz.json") as server:
        server.answers["/names/"] = "error-404-pipeline-by-name.json"
        with pytest.raises(KedroKubeflowError, match="Failed to create a pipeline"):
            client_of(server.url, namespace="team-a").uploads.upload(package())


@pytest.mark.parametrize(
    "name", ["get-run-no-header", "get-run-stranger", "bearer-garbage", "create-run-view-only", "list-runs-forbidden",
             "terminate-run-view-only", "delete-recurring-run-view-only"]
)  # fmt: skip
def test_who_may_not(name: str) -> None:
    with replayed(f"multi-user/{name}.json") as server, pytest.raises(AuthError):
        client_of(server.url).runs.get("x")


def test_with_several_users() -> None:
    with replayed("multi-user/list-runs-own.json") as server:
        assert all(run.id for run in client_of(server.url, namespace="team-a").runs.list(limit=3))
    with replayed("multi-user/create-recurring-run.json") as server:
        assert schedule(client_of(server.url, namespace="team-a"))
    for name in ("get-run-finished", "get-run-failed-root"):
        with replayed(f"multi-user/{name}.json") as server:
            server.answers = {
                "/log": "log-api-wrong-pod.json",
                "versions/": "error-404-version.json",
                "healthz": "healthz-api.json",
            }
            run = settled(client_of(server.url, namespace="team-a"), "x")
            assert run.ended
            assert run.steps


MULTI_USER = {
    "create-experiment-exists": (lambda c: c.experiments.ensure("e"), "already exists"),
    "create-experiment-no-namespace": (lambda c: c.experiments.ensure("e"), "namespace"),
    "create-run-no-experiment": (start, "Experiment id can not be empty"),
    "get-run-none": (lambda c: c.runs.get("x"), "not found"),
    "list-runs-no-namespace": (lambda c: list(c.runs.list()), "empty namespace"),
    "upload-exists": (lambda c: c.uploads.upload(package()), "Failed to create a pipeline"),
}


@pytest.mark.parametrize("name", MULTI_USER)
def test_refusals_with_several_users(name: str) -> None:
    call, words = MULTI_USER[name]
    with replayed(f"multi-user/{name}.json") as server:
        server.answers = {"experiments?": "experiments-none.json", "/names/": "error-404-pipeline-by-name.json"}
        with pytest.raises(KedroKubeflowError, match=words):
            call(client_of(server.url, namespace="team-a"))
