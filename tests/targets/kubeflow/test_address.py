from __future__ import annotations

import pytest

from kedro_kubeflow.config.kubeflow import read_config
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.targets.kubeflow.address import Address


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("https://kf.example.com", "https://kf.example.com"),
        ("https://kf.example.com/", "https://kf.example.com"),
        ("http://localhost:8080/pipeline/", "http://localhost:8080/pipeline"),
        ("https://kf.example.com/pipeline/#/runs/details/1", "https://kf.example.com/pipeline"),
        ("https://kf.example.com/pipeline/apis/v2beta1", "https://kf.example.com/pipeline"),
        ("https://kf.example.com/pipeline/apis/v2beta1/healthz?x=1", "https://kf.example.com/pipeline"),
        (" https://[::1]:8888 ", "https://[::1]:8888"),
        ("https://kf.example.com/_/pipeline/?ns=team-a#/runs", "https://kf.example.com/pipeline"),
        ("https://kf.example.com/_/pipeline/#/runs?ns=team-a", "https://kf.example.com/pipeline"),
        ("https://kf.example.com/_", "https://kf.example.com"),
        ("https://kf.example.com/_pipeline", "https://kf.example.com/_pipeline"),
    ],
)
def test_addresses_as_people_write_them(written: str, host: str) -> None:
    assert Address.parse(written).host == host


@pytest.mark.parametrize(
    ("written", "what"),
    [
        (None, "No Kubeflow Pipelines server is configured"),
        ("", "No Kubeflow Pipelines server is configured"),
        ("kf.example.com/pipeline", "https://kf.example.com/pipeline"),
        ("localhost:8080", "has no scheme"),
        ("//kf.example.com", "has no scheme"),
        ("ftp://kf.example.com", "has no scheme"),
        ("https://", "names no host"),
        ("https://kf.example.com:port", "cannot be read"),
        ("https://someone:s3cret@kf.example.com", "user name or a password"),
    ],
)
def test_what_is_no_address(written: str | None, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Address.parse(written)
    assert what in str(caught.value)
    assert caught.value.cure
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "namespace"),
    [
        ("https://kf.example.com/_/pipeline/?ns=team-a#/runs", "team-a"),
        ("https://kf.example.com/_/pipeline/#/experiments/details/1?ns=team-a", "team-a"),
        ("https://kf.example.com/pipeline", None),
    ],
)
def test_the_namespace_in_an_address_of_the_dashboard(written: str, namespace: str | None) -> None:
    assert Address.parse(written).namespace == namespace
    # The same in kubeflow.yml, where one that is written goes first.
    assert read_config({"host": written}).namespace == namespace
    assert read_config({"host": written, "namespace": "team-b"}).namespace == "team-b"
    assert read_config({"host": written}).host == Address.parse(written).host


def test_links_lead_to_the_ui() -> None:
    address = Address.parse("https://api.example.com", "https://kf.example.com/pipeline/")
    assert address.pipeline_link("p") == "https://kf.example.com/pipeline/#/pipelines/details/p"
    assert address.pipeline_link("p", "v") == "https://kf.example.com/pipeline/#/pipelines/details/p/version/v"
    assert address.run_link("r") == "https://kf.example.com/pipeline/#/runs/details/r"
    assert address.schedule_link("s") == "https://kf.example.com/pipeline/#/recurringrun/details/s"
    assert not address.same_origin
    assert Address.parse("https://kf.example.com/pipeline").same_origin
