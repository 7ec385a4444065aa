"""What is tried again: told to the pod and to Kubeflow, and said by `check`."""

from __future__ import annotations

import pytest
from plans import plan_of
from pydantic import ValidationError

from kedro_kubeflow.check.retries import retry_findings
from kedro_kubeflow.config.retry import RetryPolicyConfig
from kedro_kubeflow.plan.grouping import NodeFacts

NODES = [NodeFacts("train", ("params:lr",), ("model",)), NodeFacts("score", ("model",), ("out",))]


def test_the_step_itself_is_told_and_people_are() -> None:
    policy = {"train": {"num_retries": 2, "backoff_duration": "10s", "backoff_max_duration": "1h"}}
    plan = plan_of(NODES, run_config={"retry_policy": policy, "timeout": {"train": "5m"}}, parameters={"lr": 1})
    told = {task.display_name: task.call.settings.get("retry") for task in plan.tasks if task.call}
    assert told == {"train": [2, 10, 2, 3600], "score": None}
    assert [f.id for f in retry_findings(plan)] == ["retries", "retries-timeout"]
    assert list(retry_findings(plan_of(NODES, parameters={"lr": 1}))) == []


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ({"backoff_factor": 1.5}, "backoff_factor"),
        ({"max_duration": 1, "backoff_max_duration": 2}, "are the same"),
    ],
)
def test_what_argo_would_not_take_is_refused(policy: dict[str, float], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        RetryPolicyConfig.model_validate(policy)
