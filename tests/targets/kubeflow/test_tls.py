"""Certificates, for the login and the API alike: by kubeflow.yml, by the environment, and our own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from auth.kubeflow_stand_in import PASSWORD, USER, Kubeflow, kubeflow

from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError, ServerError
from kedro_kubeflow.targets.kubeflow.configured import connect_to


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def door(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubeflow]:
    """A door that wants a client certificate."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    ours = authority.issue_cert("ann@example.com")
    ours.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in ours.cert_chain_pems))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DEX_USERNAME", USER)
    monkeypatch.setenv("DEX_PASSWORD", PASSWORD)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    # TLS 1.3 tells of a missing certificate only after the handshake.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with kubeflow(context) as it:
        yield it


def config(door: Kubeflow, **more: object) -> KubeflowConfig:
    ours = {"ssl_client_cert": "~/cert.pem", "ssl_client_key": "~/key.pem"}
    return read_config({"host": f"{door.url}/pipeline", "namespace": "team-a", "auth": "dex", **ours, **more})


@pytest.mark.parametrize("variable", [None, "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_one_treatment_for_login_and_api(
    door: Kubeflow, variable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
    client = connect_to(config(door, **({} if variable else {"ssl_ca_cert": "~/ca.pem"})))
    assert client.experiments.names() == {}
    assert door.logins == 1
    assert ("/pipeline/apis/v2beta1/experiments", 200) in door.seen


def test_without_our_certificate(door: Kubeflow) -> None:
    client = connect_to(config(door, ssl_ca_cert="~/ca.pem", ssl_client_cert=None, ssl_client_key=None))
    with pytest.raises(ServerError, match="wants another client certificate") as error:
        client.experiments.names()
    assert "ssl_client_cert" in str(error.value.cure)


@pytest.mark.parametrize("key", ["ssl_ca_cert", "ssl_client_cert", "ssl_client_key"])
def test_a_file_that_is_not_there(door: Kubeflow, key: str) -> None:
    with pytest.raises(ConfigError, match="There is no file ~/missing") as error:
        connect_to(config(door, **{"ssl_ca_cert": "~/ca.pem", key: "~/missing"}))
    assert key in str(error.value.where)


def test_a_file_that_is_no_certificate(door: Kubeflow, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises(KedroKubeflowError):
        connect_to(config(door, ssl_ca_cert="~/ca.pem", ssl_client_cert="~/none.pem")).experiments.names()
