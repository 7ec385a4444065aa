"""The section `vertexai`: what is wrong is said, with the cure."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_kubeflow.config.kubeflow import read_config
from kedro_kubeflow.config.model import parse
from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.errors import ConfigError
from targets.vertexai.conftest import SECTION

KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"


def read(**keys: Any) -> VertexAIConfig:
    values = {key: value for key, value in {**SECTION, **keys}.items() if value is not None}
    return parse(VertexAIConfig, values, where="kubeflow.yml, vertexai")


def test_what_it_takes() -> None:
    config = read(
        root="gs://my-bucket/a/b/",
        service_account="runner@my-project.iam.gserviceaccount.com",
        network={
            "vpc": "projects/123/global/networks/vpc",
            "host_aliases": [{"ip": "::1", "hostnames": ["m"]}, {"ip": "10.0.0.1", "hostnames": ["a.b", "c"]}],
        },
        experiment_name="flights-2",
        labels={"team": "data_1", "żółw": "ok"},
        encryption_key=KEY,
        failure_policy="fast",
        api_endpoint="vertex.example.internal:8443",
    )
    assert config.root == "gs://my-bucket/a/b"
    assert [str(alias.ip) for alias in config.network.host_aliases] == ["::1", "10.0.0.1"]


def test_beside_a_host() -> None:
    config = read_config({"host": "https://kfp.example.com", "vertexai": SECTION})
    assert (config.host, config.vertexai) == ("https://kfp.example.com", read())


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"project_id": None}, "'project_id' is missing"),
        ({"region": None}, "'region' is missing"),
        ({"root": None}, "'root' is missing"),
        ({"project_id": "My Project"}, "no project's id"),
        ({"region": "europe-west1-b"}, "is a zone; its region is 'europe-west1'"),
        ({"region": "Belgium"}, "no region"),
        ({"root": "s3://my-bucket/runs"}, "write gs://BUCKET/FOLDER"),
        ({"root": "my-bucket/runs"}, "write gs://BUCKET/FOLDER"),
        ({"root": "gs://"}, "write gs://BUCKET/FOLDER"),
        ({"root": "gs://My_Bucket"}, "write gs://BUCKET/FOLDER"),
        ({"root": "/gcs/my-bucket/runs"}, "write gs://BUCKET/FOLDER"),
        ({"service_account": "pipeline-runner"}, "no service account's e-mail address"),
        ({"network": {"vpc": "my-vpc"}}, "write projects/PROJECT_NUMBER/global/networks/NAME"),
        ({"network": {"host_aliases": [{"ip": "10.0.0", "hostnames": ["a"]}]}}, "network.host_aliases.0.ip"),
        ({"network": {"host_aliases": [{"ip": "10.0.0.1", "hostnames": []}]}}, "network.host_aliases.0.hostnames"),
        ({"network": {"host_aliases": [{"ip": "10.0.0.1", "hostnames": ["a; rm -rf /"]}]}}, "no host name"),
        ({"experiment_name": "My Experiment"}, "no experiment's name"),
        ({"labels": {"Team": "data"}}, "no label's key"),
        ({"labels": {"team": "Data Science"}}, "no label's value"),
        ({"labels": {f"k{i}": "v" for i in range(57)}}, "room for 56 labels"),
        ({"encryption_key": "my-key"}, "keyRings"),
        ({"encryption_key": KEY.replace("europe-west1", "us-central1")}, "must be in the region 'europe-west1'"),
        ({"failure_policy": "never"}, "'failure_policy'"),
        ({"api_endpoint": "http://vertex.example.com"}, "no address of an API"),
        ({"experiment": "x"}, "unknown key 'experiment'. Did you mean 'experiment_name'"),
        ({"network": {"vcp": "x"}}, "Did you mean 'vpc'"),
    ],
)
def test_what_is_wrong(keys: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**keys)
    assert what in str(caught.value)
    assert caught.value.where == "kubeflow.yml, vertexai"


def test_links() -> None:
    place = "https://console.cloud.google.com/vertex-ai"
    assert read().job_link("j") == f"{place}/locations/europe-west1/pipelines/runs/j?project=my-project"
    assert read().schedule_link("s") == f"{place}/locations/europe-west1/pipelines/schedules/s?project=my-project"
    assert read().ui_link == f"{place}/pipelines?project=my-project"
