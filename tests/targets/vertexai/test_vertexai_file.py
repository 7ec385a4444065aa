"""vertexai.yml of kedro-vertexai 1.0, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.config.selectors import Known
from kedro_kubeflow.config.vertexai_file import from_kedro_vertexai
from kedro_kubeflow.errors import ConfigError

TEMPLATE = Path(__file__).parent / "kedro_vertexai_template.yml"
MINIMAL = {"image": "demo:1", "root": "bucket/runs", "experiment_name": "demo"}


def read(known: Known | None = None, **run_config: Any) -> KubeflowConfig:
    data = {"project_id": "my-project", "region": "europe-west1", "run_config": {**MINIMAL, **run_config}}
    return read_config(from_kedro_vertexai(data, known=lambda: known or Known()), where="conf, vertexai.yml")


def test_the_file_that_its_init_writes() -> None:
    known = Known(nodes=frozenset({"data_import_step", "model_training"}))
    values = from_kedro_vertexai(yaml.safe_load(TEMPLATE.read_text()), known=lambda: known)
    config = read_config(values)
    assert config.vertexai is not None
    assert (config.vertexai.root, config.vertexai.experiment_name) == ("gs://bucket_name/gcs_suffix", "demo-experiment")
    run = config.run_config
    assert (run.image, run.scheduled_run_name, run.grouping.by) == ("demo:1", "demo", "node")
    training = run.resources["model_training"]
    assert training is not None
    assert (training.cpu, training.memory, training.accelerators) == ("8", "8Gi", {"nvidia.com/gpu": 1})
    assert run.node_selector == {"model_training": {"cloud.google.com/gke-accelerator": "NVIDIA_TESLA_T4"}}
    schedule = run.schedules["default_schedule"]
    assert (schedule.cron, schedule.max_concurrency, schedule.start_time) == ("TZ=Etc/UTC 0 0 * * * *", 1, None)


def test_all_that_it_knows() -> None:
    config = read(
        description="What for",
        experiment_description="Who flies",
        service_account="runner@my-project.iam.gserviceaccount.com",
        network={
            "vpc": "projects/1/global/networks/v",
            "host_aliases": [{"ip": "10.0.0.1", "hostnames": ["me.local"]}],
        },
        grouping={"cls": "kedro_vertexai.grouping.TagNodeGrouper", "params": {"tag_prefix": "step."}},
        on_exit_pipeline="notify",
        mlflow={"request_header_provider_params": {"client_id": "c", "service_account": "s"}},
        dynamic_config_providers=[{"cls": "demo.auth.Mine", "params": {"a": "b"}}],
        schedules={"training": {"cron_expression": "0 0 * * *", "timezone": "America/New_York", "max_run_count": 3}},
    )
    vertexai, run = config.vertexai, config.run_config
    assert vertexai is not None
    assert (vertexai.service_account, vertexai.experiment_description) == (
        "runner@my-project.iam.gserviceaccount.com",
        "Who flies",
    )
    assert vertexai.network.host_aliases[0].hostnames == ("me.local",)
    assert (run.grouping.by, run.grouping.prefix, run.on_exit_pipeline) == ("tag", "step.", "notify")
    assert run.mlflow.request_header_provider_params == {"client_id": "c", "service_account": "s"}
    assert run.dynamic_config_providers[0].params == {"a": "b"}
    assert (run.schedules["training"].cron, run.schedules["training"].max_run_count) == (
        "TZ=America/New_York 0 0 0 * * *",
        3,
    )


def test_what_it_took_where_nothing_was_said() -> None:
    config = read(schedules={"training": {}})
    default = config.run_config.resources["__default__"]
    assert default is not None
    assert (default.cpu, default.memory) == ("500m", "1024Mi")
    assert config.run_config.schedules["training"].cron == "TZ=Etc/UTC 0 0 * * * *"
    assert (
        read(resources={"__default__": {"cpu": None, "memory": None}}).run_config.resources["__default__"].keys() == {}
    )  # type: ignore[union-attr]


def test_a_bare_name_is_a_nodes_or_a_tags() -> None:
    known = Known(nodes=frozenset({"train", "both"}), tags=frozenset({"gpu", "both"}))
    config = read(known, resources={name: {"cpu": 1} for name in ("train", "gpu", "both")})
    assert set(config.run_config.resources) == {"train", "tag:gpu", "both", "tag:both"}


def test_a_root_that_says_gs() -> None:
    assert read(root="gs://bucket/runs").vertexai.root == "gs://bucket/runs"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"ttl": 3600}, "kedro-vertexai never read it"),
        ({"image_pull_policy": "Always"}, "pulls the image for each step"),
        ({"node_merge_strategy": "full"}, "its successor is `grouping`"),
        ({"max_cache_staleness": "P0D"}, "its successor is `cache`"),
        ({"vertex_ai_networking": {"vpc": "v"}}, "it is called `network`"),
        ({"grouping": {"cls": "demo.grouping.Mine"}}, "kedro_kubeflow.plan.grouping.Group"),
        (
            {"dynamic_config_providers": [{"cls": "kedro_vertexai.auth.gcp.MLFlowGoogleOAuthCredentialsProvider"}]},
            "MLFlowGoogleOauthRequestHeaderProvider",
        ),
        ({"resources": {"train": {"cpu": 1, "gpu": "many"}}}, "'many' is no number"),
        ({"resources": {"train": {"disk": "1Gi"}}}, "unknown key 'run_config.resources.train.disk'"),
        ({"schedules": {"training": {"cron": "0 0 * * *"}}}, "Known: 'allow_queueing', 'cron_expression'"),
        ({"experimnt_name": "x"}, "Did you mean 'experiment_name'"),
    ],
)
def test_what_is_refused_with_the_reason(keys: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**keys)
    assert what in str(caught.value)
    assert caught.value.where == "conf, vertexai.yml"


def test_header_providers_find_their_values_there(tmp_path: Path) -> None:
    """The file goes into the image, where MLflow's request header providers ask for them."""
    from types import SimpleNamespace

    from kedro.config import OmegaConfigLoader

    from kedro_kubeflow.auth.gcp import MLFlowGoogleOauthRequestHeaderProvider

    base = tmp_path / "base"
    base.mkdir()
    section = {"mlflow": {"request_header_provider_params": {"client_id": "c", "other": "o"}}}
    (base / "vertexai.yml").write_text(yaml.safe_dump({"project_id": "p", "run_config": section}))
    loader = OmegaConfigLoader(str(tmp_path), env="base")
    provider = MLFlowGoogleOauthRequestHeaderProvider(SimpleNamespace(config_loader=loader), other="mine")
    assert provider.params == {"client_id": "c", "other": "mine"}
