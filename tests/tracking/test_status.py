"""The truth table of the final status."""

from __future__ import annotations

import pytest

from kedro_kubeflow.tracking.status import final_status

OK, FAILED, TERMINATED, RUNNING = (
    "succeeded in 1.0 s",
    "failed after 1.0 s: ValueError: x",
    "terminated",
    "running train",
)


@pytest.mark.parametrize(
    ("state", "steps", "status"),
    [
        # Kubeflow
        ("COMPLETE", [OK, OK], "FINISHED"),
        ("COMPLETE", [OK, RUNNING], "FAILED"),
        ("COMPLETE", [OK, FAILED], "FAILED"),
        ("FAILED", [OK, FAILED], "FAILED"),
        ("FAILED", [OK, OK], "FAILED"),
        ("FAILED", [], "FAILED"),
        ("FAILED", [OK, RUNNING], "FAILED"),
        ("FAILED", [OK, "failed (killed)"], "FAILED"),
        ("FAILED", [TERMINATED, "terminated after 3.0 s"], "KILLED"),
        ("FAILED", [FAILED, TERMINATED], "FAILED"),
        ("RUNNING", [OK, OK], "FAILED"),
        ("RUNNING", [RUNNING], "FAILED"),
        ("RUNNING", [], "FAILED"),
        ("RUNNING", [RUNNING, TERMINATED], "KILLED"),
        ("CANCELED", [], "KILLED"),
        ("CANCELED", [RUNNING, FAILED], "KILLED"),
        # Vertex AI Pipelines and this machine
        ("SUCCEEDED", [OK], "FINISHED"),
        ("CANCELLED", [OK], "KILLED"),
        # a backend that says nothing
        ("", [OK], "FAILED"),
    ],
)
def test_final_status(state: str, steps: list[str], status: str) -> None:
    assert final_status(state, steps) == status


@pytest.mark.parametrize("state", ["COMPLETE", "RUNNING", "FAILED", "CANCELED", ""])
def test_the_last_task_has_the_last_word(state: str) -> None:
    assert final_status(state, [OK, RUNNING, FAILED], marked=True) == "FINISHED"
