from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import MlflowServer
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import experiment
from kedro_kubeflow.tracking.start import start_run, take
from tracking.pods import Pods


@pytest.fixture
def client(mlflow_server: MlflowServer) -> MlflowClient:
    return MlflowClient(mlflow_server.uri)


class Starts:
    """The start tasks of one pipeline run."""

    def __init__(self, client: MlflowClient) -> None:
        self.client, self.job = client, str(uuid.uuid4())
        self.experiment_id = experiment(client, f"starts-{self.job}")
        self.correlation = {tags.RUN_ID: self.job}

    def start(self, name: str = "demo") -> str:
        return start_run(
            self.client,
            experiment_id=self.experiment_id,
            name=name,
            correlation=self.correlation,
            more={tags.PIPELINE: "__default__", tags.IMAGE: "img:1"},
        )

    def runs(self, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
        return list(self.client.search_runs([self.experiment_id], run_view_type=view))


@pytest.fixture
def starts(client: MlflowClient) -> Starts:
    return Starts(client)


def test_started_twice_there_is_one_run(starts: Starts) -> None:
    first = starts.start("first")
    assert starts.start("second") == first
    (run,) = starts.runs()
    assert run.info.run_name == "first"
    assert run.data.tags[tags.IMAGE] == "img:1"


@pytest.mark.parametrize("at_once", [2, 8])
def test_started_at_the_same_second_all_take_the_same_run(starts: Starts, at_once: int) -> None:
    barrier = threading.Barrier(at_once)

    def start(_: int) -> str:
        barrier.wait()
        return starts.start()

    with ThreadPoolExecutor(at_once) as pool:
        taken = set(pool.map(start, range(at_once)))
    assert {run.info.run_id for run in starts.runs()} == taken
    assert len(taken) == 1


def test_a_start_that_was_killed_before_its_choice_is_gone_on_with(starts: Starts) -> None:
    left = starts.client.create_run(starts.experiment_id, tags=starts.correlation)
    assert starts.start() == left.info.run_id
    assert len(starts.runs(ViewType.ALL)) == 1


def test_two_that_were_killed_before_their_choice_become_one(starts: Starts) -> None:
    left = [starts.client.create_run(starts.experiment_id, tags=starts.correlation, start_time=t) for t in (2000, 1000)]
    assert starts.start() == left[1].info.run_id
    assert [run.info.run_id for run in starts.runs()] == [left[1].info.run_id]


def test_the_chosen_one_goes_before_an_earlier_one(starts: Starts) -> None:
    chosen = starts.start()
    starts.client.create_run(starts.experiment_id, tags=starts.correlation, start_time=1000)
    assert starts.start() == chosen
    assert [run.info.run_id for run in starts.runs()] == [chosen]


def test_a_run_that_had_ended_runs_again(starts: Starts) -> None:
    run_id = starts.start()
    tags.write(starts.client, run_id, {tags.FINAL_STATUS: "FAILED", tags.step_key("train"): "failed after 1.0 s"})
    starts.client.set_terminated(run_id, "FAILED")
    assert starts.start() == run_id
    (run,) = starts.runs()
    assert run.info.status == "RUNNING"
    assert tags.FINAL_STATUS not in run.data.tags
    assert run.data.tags[tags.step_key("train")] == "failed after 1.0 s"


def test_another_pipeline_runs_words_do_not_count(starts: Starts) -> None:
    run_id = starts.start()
    old = {tags.step_key("train"): "failed", tags.FAILED_NODE: "train", tags.ERROR: "x", tags.FINAL_STATUS: "FAILED"}
    tags.write(starts.client, run_id, {**old, "mine": "kept"})
    take(starts.client, starts.client.get_run(run_id), {tags.RUN_ID: "another", tags.PIPELINE: "p"})
    left = starts.client.get_run(run_id).data.tags
    assert not set(old) & set(left)
    assert left["mine"] == "kept"
    assert left[tags.RUN_ID] == "another"


def test_the_experiment_is_made_once_and_restored(client: MlflowClient) -> None:
    name = f"made-{uuid.uuid4()}"
    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(lambda _: experiment(client, name), range(6)))
    (experiment_id,) = made
    client.delete_experiment(experiment_id)
    assert experiment(client, name) == experiment_id
    assert client.get_experiment(experiment_id).lifecycle_stage == "active"


def test_a_run_of_a_schedule_is_called_as_its_workflow(pods: Callable[..., Pods]) -> None:
    """KFP gives such a run an empty name; the pod's own name has that of the workflow, which Kubeflow's UI shows."""
    run = pods()
    run.name = ""
    run.start(HOSTNAME="nightly114xv4x-4-833791317-system-container-impl-922800690").ok()
    assert run.run.info.run_name == "nightly114xv4x-4-833791317"
