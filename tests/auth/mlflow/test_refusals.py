"""What people read where MLflow, or what stands before it, refuses."""

from __future__ import annotations

from collections.abc import Iterator

import mlflow
import pytest
from mlflow import MlflowClient

from auth.loopback import Request, Response, as_json, serving
from kedro_kubeflow.auth.mlflow.header_providers import BasicAuthRequestHeaderProvider
from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.tracking.server import tracking_errors


@pytest.fixture(autouse=True)
def _as_before(quiet_mlflow: None) -> Iterator[None]:
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


def error_at(url: str) -> TrackingError:
    mlflow.set_tracking_uri(url)
    with pytest.raises(TrackingError) as caught, tracking_errors():
        MlflowClient(url).get_experiment_by_name("x")
    return caught.value


@pytest.mark.parametrize("status", [401, 403])
def test_a_front_that_refuses_with_nothing_in_its_answer(status: int) -> None:
    """As oauth2-proxy does with requests that want JSON."""
    heard: list[Request] = []

    def front(request: Request) -> Response:
        heard.append(request)
        return as_json({}, status)

    with serving(front) as url:
        error = error_at(url)
    assert error.what == (
        f"A proxy or gateway before the MLflow server refuses the credentials ({status}); the token may have expired"
    )
    assert "is up" not in str(error.cure)
    # The status is asked for once, beside the request itself.
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, {}), (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}), (404, {"detail": "Not Found"})],
)
def test_other_answers_are_no_refusal_of_a_front(status: int, body: dict[str, str]) -> None:
    with serving(lambda _: as_json(body, status)) as url:
        assert "refuses the credentials" not in error_at(url).what


def test_a_missing_password_is_all_that_is_said() -> None:
    heard: list[Request] = []

    def server(request: Request) -> Response:
        heard.append(request)
        return as_json({})

    provider = BasicAuthRequestHeaderProvider(username="ann", password_env="MLFLOW_SECRET")
    from mlflow.tracking.request_header import registry

    registry._request_header_provider_registry._registry.append(provider)
    with serving(server) as url:
        error = error_at(url)
    assert error.what == "No request is sent to MLflow: The environment variable MLFLOW_SECRET is not set"
    assert error.cure == "set MLFLOW_SECRET to the secret"
    assert heard == []
