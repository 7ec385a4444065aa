"""What ``run_config`` takes and refuses, key by key; what files of kedro-kubeflow 0.x bring along."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kedro_kubeflow.config.duration import seconds
from kedro_kubeflow.config.extra_volumes import ExtraVolume, check_apart
from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.config.quantity import amount, cpu, memory, storage
from kedro_kubeflow.config.resources import ResourcesConfig
from kedro_kubeflow.errors import ConfigError

# A whole file as kedro-kubeflow 0.x documents it, with every key that still works.
OLD_FILE = """
host: https://kubeflow.example.com/pipelines
run_config:
  image: kubeflow-plugin-demo
  image_pull_policy: IfNotPresent
  experiment_name: Kubeflow Plugin Demo
  run_name: Kubeflow Plugin Demo Run
  scheduled_run_name: Kubeflow Plugin Demo Recurring Run
  description: Very Important Pipeline
  wait_for_completion: False
  ttl: 604800
  on_exit_pipeline: notify_via_slack
  store_kedro_outputs_as_kfp_artifacts: True
  node_merge_strategy: none
  volume:
    storageclass: # default
    size: 3Gi
    access_modes: [ReadWriteOnce]
    skip_init: False
    owner: 0
    keep: False
  resources:
    data_import_step: {memory: 2Gi}
    model_training: {cpu: 8, memory: 1Gi}
    tensorflow_step: {nvidia.com/gpu: 1}
    __default__: {cpu: 200m, memory: 64Mi}
  tolerations:
    __default__:
      - {key: "dedicated", operator: "Equal", value: "ml-ops", effect: "NoSchedule"}
    node_a: []
  affinity:
    __default__:
      node_affinity:
        required_during_scheduling_ignored_during_execution:
          node_selector_terms:
            - match_expressions: [{key: pool, operator: In, values: [ml]}]
  extra_volumes:
    tensorflow_step:
      - mount_path: /dev/shm
        volume:
          name: shared_memory
          empty_dir: {cls: V1EmptyDirVolumeSource, params: {medium: Memory}}
  retry_policy:
    __default__: {num_retries: 4, backoff_duration: 60s, backoff_factor: 2}
    node_a: {num_retries: 0, backoff_duration: 60s, backoff_factor: 2}
"""


def run_config(values: dict[str, Any]) -> Any:
    return read_config({"run_config": values}).run_config


def refused(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        run_config(values)
    return str(error.value)


def test_a_file_of_old_times_is_read_as_it_was_meant() -> None:
    config = read_config(yaml.safe_load(OLD_FILE))
    run = config.run_config
    assert run.resources["tensorflow_step"].keys() == {"accelerator": ("nvidia.com/gpu", 1)}
    assert run.resources["model_training"].keys()["cpu.limit"] == "8"
    assert run.retry_policy["__default__"].backoff_duration == 60
    assert (run.volume.owner, run.volume.storageclass) == (0, None)
    assert run.extra_volumes["tensorflow_step"][0].pod_name == "shared-memory"
    assert run.grouping.by == "node"
    assert run.tolerations["node_a"] == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"max_cache_staleness": "P0D"}, "successor is `cache`"),
        ({"root": "bucket/x"}, "`vertexai.root`"),
        ({"host_aliases": []}, "hands no host aliases on"),
        ({"network": {"vpc": "x"}}, "`vertexai.network`"),
        ({"node_selectors": {}}, "is called 'node_selector' here"),
        ({"store_kedro_outputs_as_kfp_artifacts": False}, "no `volume` is configured"),
        ({"node_merge_strategy": "half"}, "it was `none`"),
        ({"affinity": {"a": {"podAntiAffinity": {}}}}, "only node affinity"),
        ({"affinity": {"a": {"pod_affinity": {}}}}, "only node affinity"),
        ({"security_context": {"a": {"privileged": True}}}, "only runAsUser"),
        ({"resources": {"a": {"ephemeral-storage": "1Gi"}}}, "no way to ask for 'ephemeral-storage'"),
        ({"resources": {"cpu": 1}}, "what is for every step stands under `__default__`"),
        ({"resources": {"a": {"nvidia.com/gpu": 1, "amd.com/gpu": 1}}}, "one kind of accelerator"),
        ({"resources": {"a": {"nvidia.com/gpu": -1}}}, "0 or more"),
        ({"resources": {"a": {"cpu": "half"}}}, "is no amount of cpu"),
        ({"resources": {"a": {"memory": "1.5Gi"}}}, "write a whole number and a unit"),
        ({"tolerations": [{"operator": "Equal"}]}, "`operator: Exists` is needed"),
        ({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}, "takes no `value`"),
        ({"node_selector": {"a": {"pool": "no spaces here"}}}, "is no label's value"),
        ({"pod_labels": {"a": {"-x": "y"}}}, "is no label's key"),
        ({"timeout": "soon"}, "is no length of time"),
        ({"env": {"a": {"1X": "y"}}}, "no name of an environment variable"),
        ({"env": {"a": {"KEDRO_KUBEFLOW_RUN_ID": "y"}}}, "set by the plugin itself"),
        ({"env": {"a": {"X": "{{workflow.name}}"}}}, "Argo's own templates"),
        ({"extra_volumes": [{"mountPath": "relative", "volume": {"secret": {"secretName": "s"}}}]}, "no absolute path"),
        ({"extra_volumes": [{"mountPath": "/x", "volume": {"hostPath": {"path": "/"}}}]}, "unknown key"),
        ({"extra_volumes": [{"mountPath": "/x", "volume": {"name": "v"}}]}, "exactly one of secret"),
        ({"volume": {"keep": True}}, "`storageclass` is needed"),
        ({"volume": {"folder": "/data"}}, "no folder inside the project"),
        ({"volume": {"folder": "../data"}}, "no folder inside the project"),
        ({"notifications": [{"type": "slack"}]}, "exactly one of `url_env` and `url_secret`"),
        ({"dynamic_config_providers": [{"cls": "Tokens"}]}, "is no class path"),
        ({"retry_policy": {"a": {"num_retires": 1}}}, "Did you mean 'num_retries'?"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_its_reason(values: dict[str, Any], words: str) -> None:
    assert words in refused(values)


def test_no_error_says_a_secret() -> None:
    hook = "https://hooks.example.com/s3cret"
    for values in (
        {"notifications": [{"type": "slack", "url_env": hook}]},
        {"env": {"a": {"TOKEN": ["s3cret"]}}},
        {"env": {"a": {"TOKEN": "s3cret {{"}}},
    ):
        assert "s3cret" not in refused(values)


def test_on_is_true_in_yaml_and_meant_all_the_same() -> None:
    data = yaml.safe_load("notifications: [{type: slack, url_env: X, on: [failed]}]")
    assert True in data["notifications"][0]
    assert run_config(data).notifications[0].when == ("failed",)


def test_a_value_alone_is_for_every_step() -> None:
    run = run_config({"cache": True, "timeout": 60, "image_pull_secrets": ["a"], "image_pull_policy": "Always"})
    assert (run.cache, run.timeout) == ({"__default__": True}, {"__default__": 60})
    assert run.image_pull_secrets == {"__default__": ["a"]}
    assert run_config({}).image_pull_policy == {}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (90, 90),
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("5 minutes", 300),
        ("2h", 7200),
        ("1 day", 86400),
        ("1w", 604800),
    ],
)
def test_lengths_of_time(written: Any, meant: int) -> None:
    assert seconds(written) == meant


def test_quantities() -> None:
    assert [cpu(value) for value in (1, 0.5, "500m", ".5")] == ["1", "0.5", "500m", ".5"]
    assert amount("500m") < amount("0.6") < amount("2")
    assert amount("1000Mi") < amount("1Gi") < amount("1100Mi")
    assert amount("1G") < amount("1Gi")
    assert (memory(1024), storage("1.5Ti")) == ("1024", "1.5Ti")
    with pytest.raises(ValueError, match="an amount is expected"):
        cpu(True)


def test_what_is_written_counts_and_what_is_not_does_not() -> None:
    assert ResourcesConfig.model_validate({"limits": {"memory": "2Gi"}}).keys() == {"memory.limit": "2Gi"}
    assert ResourcesConfig.model_validate({"cpu": None}).keys() == {"cpu.request": None, "cpu.limit": None}
    assert ResourcesConfig.model_validate({"nvidia.com/gpu": 0}).keys() == {"accelerator": None}


def test_volumes_of_one_pod_must_not_clash() -> None:
    def volume(path: str, **source: Any) -> ExtraVolume:
        return ExtraVolume.model_validate({"mountPath": path, "volume": source})

    check_apart([volume("/a", secret={"secretName": "a"}), volume("/b", emptyDir={})])
    with pytest.raises(ValueError, match="each can be mounted once"):
        check_apart([volume("/a", secret={"secretName": "x"}), volume("/b", configMap={"name": "x"})])
    with pytest.raises(ValueError, match="mounted at '/a/'"):
        check_apart([volume("/a", secret={"secretName": "x"}), volume("/a/", emptyDir={"sizeLimit": "1Gi"})])


def test_every_setting_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        KubeflowConfig().run_config.cache = {}  # type: ignore[misc]
