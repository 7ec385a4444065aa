from __future__ import annotations

import pytest

from kedro_kubeflow.auth.mlflow.address import holds_password, move_credentials, parted, without_credentials


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://ann:pw@mlflow.example.com:5000/x?y=1", ("https://mlflow.example.com:5000/x?y=1", "ann", "pw")),
        ("http://ann%40corp:p%40%2Fs@h", ("http://h", "ann@corp", "p@/s")),
        ("http://a:b@c@h", ("http://h", "a", "b@c")),
        ("http://token@h", ("http://h", "token", "")),
        ("http://h/a@b", None),
        ("postgresql://ann:pw@db/mlflow", None),
        ("databricks://profile", None),
        ("mlruns", None),
        ("http://[broken", None),
        ("", None),
    ],
)
def test_an_address_is_parted(uri: str, expected: tuple[str, str, str] | None) -> None:
    assert parted(uri) == expected


def test_a_database_holds_a_password_too() -> None:
    assert holds_password("postgresql://ann:pw@db/mlflow")
    assert not holds_password("postgresql://ann@db/mlflow")
    assert not holds_password("http://[broken")


@pytest.mark.parametrize("given", [{}, {"MLFLOW_TRACKING_USERNAME": "bob", "MLFLOW_TRACKING_PASSWORD": "other"}])
def test_what_the_environment_says_goes_first(given: dict[str, str]) -> None:
    """As in MLflow, which sends what the variables say, whatever the address holds."""
    environ = dict(given)
    assert move_credentials(environ, "http://ann:pw@h") == "http://h"
    moved = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "pw"}
    assert environ == (given or moved)


def test_the_whole_of_mlflow_yml() -> None:
    environ: dict[str, str] = {}
    section = {"server": {"mlflow_tracking_uri": "http://a:b@h", "mlflow_registry_uri": "http://a:b@r"}, "ui": {}}
    bare = {"server": {"mlflow_tracking_uri": "http://h", "mlflow_registry_uri": "http://r"}, "ui": {}}
    assert without_credentials(section, environ) == bare
    assert without_credentials(bare, environ) is None
    assert without_credentials({"server": None}, environ) is None
    assert environ["MLFLOW_TRACKING_PASSWORD"] == "b"
