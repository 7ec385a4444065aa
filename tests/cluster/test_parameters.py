"""Parameters of every type, given on the command line and as the UI gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cluster.mlflow_runs import MlflowRuns
from cluster.quickstart import Quickstart, parameters_file
from cluster.server import Server

pytestmark = pytest.mark.cluster

GIVEN: dict[str, Any] = {
    "drop_unknown_sex": False,
    "target": "flipper_length_mm",
    "measurements": ["bill_length_mm", "bill_depth_mm", "body_mass_g"],
    "test_size": 0.5,
    "random_state": 7,
    "linear_model": {"model_options": {"estimator": "ridge", "settings": {"alpha": 2.5, "max_iter": None}}},
}
LOGGED = {
    "drop_unknown_sex": "False",
    "target": "flipper_length_mm",
    "test_size": "0.5",
    "random_state": "7",
    "linear_model.model_options.settings.alpha": "2.5",
    "linear_model.model_options.settings.max_iter": "None",
}
PART = ("--to-nodes", "linear_model.train_model")


@pytest.fixture(scope="module")
def grouped(copy: Callable[..., Quickstart]) -> Quickstart:
    """All nodes in one step: what is asked here is what reaches them, and it is the shortest run."""
    return copy(grouping="all")


@pytest.fixture(scope="module")
def by_command(grouped: Quickstart) -> str:
    return grouped.start(*PART, "--params-file", parameters_file(grouped.project, GIVEN))


@pytest.fixture(scope="module")
def by_ui(grouped: Quickstart, server: Server, by_command: str) -> str:
    """A run of an uploaded version, with the body that the UI's form sends."""
    uploaded = grouped.upload(*PART)
    experiment = server.experiment(grouped.name)
    assert experiment is not None
    body = {
        "display_name": f"{grouped.name}-by-ui",
        "experiment_id": experiment.experiment_id,
        "pipeline_version_reference": {
            "pipeline_id": uploaded["pipeline_id"],
            "pipeline_version_id": uploaded["version_id"],
        },
        "runtime_config": {"parameters": GIVEN},
        "service_account": "",
    }
    return str(server.runs.run_service_create_run(body).run_id)


def logged(mlflow_runs: MlflowRuns, run_id: str) -> dict[str, str]:
    params = mlflow_runs.one(run_id).data.params
    return {key: value for key, value in params.items() if key in LOGGED}


@pytest.mark.parametrize("way", ["by_command", "by_ui"])
def test_every_type_reaches_the_nodes(
    way: str, grouped: Quickstart, by_command: str, by_ui: str, mlflow_runs: MlflowRuns
) -> None:
    run_id = {"by_command": by_command, "by_ui": by_ui}[way]
    status = grouped.until(run_id)
    assert status["state"] == "SUCCEEDED", status
    assert logged(mlflow_runs, run_id) == LOGGED
    assert mlflow_runs.status(run_id, "FINISHED") == "FINISHED"


def test_the_server_shows_what_was_given(grouped: Quickstart, by_command: str, server: Server) -> None:
    shown = server.runs.run_service_get_run(by_command).runtime_config.parameters
    # The server gives back lists and structs as JSON text.
    texts = {
        key: json.loads(shown[key]) if isinstance(shown[key], str) and key != "target" else shown[key] for key in GIVEN
    }
    assert texts == GIVEN
