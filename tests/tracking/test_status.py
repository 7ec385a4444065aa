"""The truth table of the final status: of what Kubeflow says, only COMPLETE can be believed."""

from __future__ import annotations

import pytest

from kedro_kubeflow.tracking.status import Heard, all_succeeded, final_status

WORDS = ["COMPLETE", "RUNNING", "FAILED", "CANCELED", "SUCCEEDED", "CANCELLED", ""]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        # Kubeflow
        ("COMPLETE", "FINISHED"),
        ("FAILED", "FAILED"),
        ("RUNNING", "FAILED"),
        ("CANCELED", "KILLED"),
        # Vertex AI Pipelines and this machine
        ("SUCCEEDED", "FINISHED"),
        ("CANCELLED", "KILLED"),
        # a backend that says nothing
        ("", "FAILED"),
    ],
)
def test_the_backends_word(state: str, status: str) -> None:
    assert final_status(Heard(state=state)) == status


@pytest.mark.parametrize("state", WORDS)
def test_the_last_task_has_the_last_word(state: str) -> None:
    assert final_status(Heard(state=state, cancelled=True, marked=True), "FINISHED") == "FINISHED"


@pytest.mark.parametrize("state", ["FAILED", "RUNNING", ""])
def test_a_steps_word_is_none(state: str) -> None:
    """The launcher of a last step may be gone before Kubeflow has its outputs."""
    assert final_status(Heard(state=state), "FINISHED") == "FAILED"
    assert final_status(Heard(state=state, succeeded=True), "FINISHED") == "FINISHED"


@pytest.mark.parametrize("state", ["FAILED", "RUNNING", ""])
def test_somebody_has_ended_it(state: str) -> None:
    assert final_status(Heard(state=state, cancelled=True), "FINISHED") == "KILLED"
    assert final_status(Heard(state=state, cancelled=True, succeeded=True)) == "KILLED"


def test_all_steps_have_succeeded_only_if_all_have() -> None:
    well = ["succeeded in 1.0 s", "succeeded in 2.0 s"]
    assert all_succeeded(well, 2)
    assert not all_succeeded(well, 3)
    assert not all_succeeded(well, None)
    assert not all_succeeded([well[0], "failed after 1.0 s: ValueError"], 2)
    assert not all_succeeded([], 0)
