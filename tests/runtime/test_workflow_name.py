"""What runs of a schedule are called in MLflow: as Kubeflow shows them."""

from __future__ import annotations

import pytest

from kedro_kubeflow.runtime.workflow_name import workflow_name


@pytest.mark.parametrize(
    "pod",
    [
        "nightly114xv4x-4-833791317-system-container-impl-922800690",
        "nightly114xv4x-4-833791317-retry-system-container-impl-922800690",
        "nightly114xv4x-4-833791317-metadata-1-2-retry-system-container-impl-1",
        # As long as the name of a host may be.
        "nightly114xv4x-4-833791317-metadata-1-2-retry-system-container-",
    ],
)
def test_the_workflow_of_a_pod(pod: str) -> None:
    assert workflow_name(pod) == "nightly114xv4x-4-833791317"


@pytest.mark.parametrize("host", ["", "laptop", "ml-pipeline-54bd64f469-2sxtb"])
def test_what_is_no_pod_of_a_step(host: str) -> None:
    assert workflow_name(host) == ""
