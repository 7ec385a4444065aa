"""Every per-step setting, held against what ``kfp.dsl`` and ``kfp.kubernetes`` write for it, and kept as golden files."""

# No `from __future__ import annotations` here: kfp.dsl reads the annotations themselves.

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from golden_file import check_golden
from google.protobuf import json_format
from kfp import compiler, components, dsl, kubernetes
from kfp.dsl import container_component_class, structures
from kfp.kubernetes import kubernetes_executor_config_pb2 as platform_pb
from plans import plan_of

from kedro_kubeflow.compiler import CompiledPipeline, compile_plan
from kedro_kubeflow.plan.grouping import NodeFacts

NODES = [NodeFacts("train", ("raw",), ("model",), tags=frozenset({"gpu"}), namespace=None)]
CATALOG = {"raw": {"type": "json.JSONDataset", "filepath": "s3://b/raw.json"}}


def compiled(config: Mapping[str, Any]) -> CompiledPipeline:
    return compile_plan(plan_of(NODES, CATALOG, config))


def by_hand(
    ours: CompiledPipeline, how: Callable[[Any], Any], tmp_path: Path, **options: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What kfp itself makes of the same container with a setter applied: pipeline spec and platform spec."""
    container = ours.pipeline_spec["deploymentSpec"]["executors"]["exec-train"]["container"]
    component = container_component_class.ContainerComponent(
        structures.ComponentSpec(
            name="train",
            implementation=structures.Implementation(
                container=structures.ContainerSpecImplementation(
                    image=container["image"], command=container["command"], args=container["args"]
                )
            ),
            inputs={},
            outputs={"model": structures.OutputSpec(type="system.Dataset@0.0.1")},
        ),
        None,
    )

    @dsl.pipeline(name="demo", display_name="Demo", **options)
    def pipeline() -> None:
        task = component()
        task.set_caching_options(False)
        how(task)

    target = tmp_path / "by_hand.yaml"
    compiler.Compiler().compile(pipeline, str(target))
    documents = [*yaml.safe_load_all(target.read_text()), {}]
    return documents[0], documents[1]


def as_it_is(task: Any) -> Any:
    return task


@dataclass(frozen=True)
class Case:
    """One setting, and the same by KFP's own setters."""

    config: Mapping[str, Any]
    how: Callable[[Any], Any] = lambda task: task
    policy: Callable[[Any], Any] = as_it_is


SHM = {"mountPath": "/dev/shm", "volume": {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}}
SCRATCH = {
    "mountPath": "/scratch",
    "volume": {
        "name": "scratch",
        "ephemeral": {
            "volumeClaimTemplate": {
                "metadata": {"labels": {"team": "ml"}},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "fast",
                    "resources": {"requests": {"storage": "50Gi"}},
                },
            }
        },
    },
}
PLAIN_SCRATCH = {
    "mount_path": "/scratch",
    "volume": {"ephemeral": {"volume_claim_template": {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}}},
}
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["a", "b"]}]},
                {"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["bad"]}]},
            ]
        },
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 5, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}
        ],
    }
}


def _resources(task: Any) -> Any:
    task.set_cpu_request("250m").set_cpu_limit("1.5").set_memory_request("512Mi").set_memory_limit("3G")
    return task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(2)


def _affinity(task: Any) -> Any:
    kubernetes.add_node_affinity(task, match_expressions=[{"key": "pool", "operator": "In", "values": ["a", "b"]}])
    kubernetes.add_node_affinity(task, match_fields=[{"key": "metadata.name", "operator": "NotIn", "values": ["bad"]}])
    return kubernetes.add_node_affinity(task, match_expressions=[{"key": "disk", "operator": "Exists"}], weight=5)


def _tolerations(task: Any) -> Any:
    kubernetes.add_toleration(task, key="gpu", operator="Equal", value="yes", effect="NoSchedule")
    return kubernetes.add_toleration(task, key="spot", operator="Exists", effect="NoExecute", toleration_seconds=60)


def _environment(task: Any) -> Any:
    task.set_env_variable("LEVEL", "3").set_env_variable("VERBOSE", "true")
    kubernetes.use_secret_as_env(task, "db", {"password": "DB_PASSWORD"})
    kubernetes.use_secret_as_env(task, "token", {"TOKEN": "TOKEN"}, optional=True)
    kubernetes.use_config_map_as_env(task, "site", {"region": "REGION"})
    return kubernetes.use_field_path_as_env(task, "NODE", "spec.nodeName")


def _volumes(task: Any) -> Any:
    kubernetes.use_secret_as_volume(task, "certs", "/certs")
    kubernetes.use_config_map_as_volume(task, "site", "/site", optional=True)
    kubernetes.mount_pvc(task, "models", "/models", sub_path="v1")
    kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit="2Gi")
    return kubernetes.add_ephemeral_volume(
        task, "scratch", "/scratch", ["ReadWriteOnce"], "50Gi", storage_class_name="fast", labels={"team": "ml"}
    )


def _metadata(task: Any) -> Any:
    kubernetes.add_pod_label(task, "team", "ml")
    return kubernetes.add_pod_annotation(task, "sidecar.istio.io/inject", "false")


CASES = {
    "resources": Case(
        {
            "resources": {
                "__default__": {"cpu": "250m", "memory": "512Mi"},
                "tag:gpu": {"limits": {"cpu": 1.5, "memory": "3G"}, "nvidia.com/gpu": 2},
            }
        },
        _resources,
    ),
    "resources_without_accelerator": Case(
        {"resources": {"__default__": {"cpu": 2, "memory": "1Gi", "amd.com/gpu": 1}, "train": {"amd.com/gpu": 0}}},
        lambda task: task.set_cpu_request("2").set_cpu_limit("2").set_memory_request("1Gi").set_memory_limit("1Gi"),
    ),
    "image_per_step": Case({"images": {"tag:gpu": "gpu:7"}}),
    "image_pull_policy": Case(
        {"image_pull_policy": "Always"}, policy=lambda task: kubernetes.set_image_pull_policy(task, "Always")
    ),
    "image_pull_secrets": Case(
        {"image_pull_secrets": ["harbor", "quay"]},
        lambda task: kubernetes.set_image_pull_secrets(task, ["harbor", "quay"]),
    ),
    "node_selector": Case(
        {"node_selector": {"train": {"pool": "gpu", "spot": False}}},
        lambda task: kubernetes.add_node_selector(kubernetes.add_node_selector(task, "pool", "gpu"), "spot", "false"),
    ),
    "tolerations": Case(
        {
            "tolerations": {
                "train": [
                    {"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"},
                    {"key": "spot", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
                ]
            }
        },
        _tolerations,
    ),
    "affinity": Case({"affinity": {"train": AFFINITY}}, _affinity),
    "retry_policy": Case(
        {"retry_policy": {"__default__": {"num_retries": 3, "backoff_duration": "1m", "backoff_factor": 3}}},
        lambda task: task.set_retry(3, backoff_duration="60s", backoff_factor=3, backoff_max_duration="31536000s"),
    ),
    "timeout": Case({"timeout": "2h"}, lambda task: kubernetes.set_timeout(task, 7200)),
    "pod_metadata": Case(
        {
            "pod_labels": {"__default__": {"team": "ml"}},
            "pod_annotations": {"__default__": {"sidecar.istio.io/inject": False}},
        },
        _metadata,
    ),
    "security_context": Case(
        {"security_context": {"__default__": {"runAsUser": 1000}, "train": {"run_as_group": 0, "runAsNonRoot": True}}},
        lambda task: kubernetes.set_security_context(task, run_as_user=1000, run_as_group=0, run_as_non_root=True),
    ),
    "env": Case(
        {
            "env": {
                "__default__": {"LEVEL": 1, "VERBOSE": True, "REGION": {"config_map": "site", "key": "region"}},
                "train": {
                    "LEVEL": 3,
                    "DB_PASSWORD": {"secret": "db", "key": "password"},
                    "TOKEN": {"secret": "token", "optional": True},
                    "NODE": {"field": "spec.nodeName"},
                },
            }
        },
        _environment,
    ),
    "extra_volumes": Case(
        {
            "extra_volumes": {
                "train": [
                    {"mountPath": "/certs", "volume": {"secret": {"secretName": "certs"}}},
                    {"mountPath": "/site", "volume": {"configMap": {"name": "site", "optional": True}}},
                    {
                        "mountPath": "/models",
                        "subPath": "v1",
                        "volume": {"persistentVolumeClaim": {"claimName": "models"}},
                    },
                    SHM,
                    SCRATCH,
                ]
            }
        },
        _volumes,
    ),
    "extra_volumes_plain": Case(
        {"extra_volumes": [PLAIN_SCRATCH]},
        lambda task: kubernetes.add_ephemeral_volume(task, "scratch", "/scratch", ["ReadWriteOnce"], "1Gi"),
    ),
}


def executors(spec: Mapping[str, Any]) -> dict[str, Any]:
    kubernetes_spec = spec.get("platforms", {}).get("kubernetes", {})
    return dict(kubernetes_spec.get("deploymentSpec", {}).get("executors", {}).get("exec-train", {}))


def normal(config: Mapping[str, Any]) -> Any:
    """A platform executor as its message, in which neither order of variables nor empty text matters."""
    message = json_format.ParseDict(dict(config), platform_pb.KubernetesExecutorConfig())
    found = json_format.MessageToDict(message)
    for mount in found.get("pvcMount", []):
        mount.pop("subPath", None) if not mount.get("subPath") else None
    for key in ("secretAsEnv", "configMapAsEnv", "fieldPathAsEnv"):
        if key in found:
            found[key] = sorted(found[key], key=str)
    return found


@pytest.mark.parametrize("name", CASES)
def test_kfp_writes_the_same(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    ours = compiled(case.config)
    theirs, their_platform = by_hand(ours, lambda task: case.how(case.policy(task)), tmp_path)
    assert normal(executors(ours.platform_spec)) == normal(executors(their_platform))
    for place in (("deploymentSpec", "executors", "exec-train"), ("root", "dag", "tasks", "train")):
        own, kfps = ours.pipeline_spec, theirs
        for key in place:
            own, kfps = own[key], kfps[key]
        assert sorted_env(own) == sorted_env(kfps)


def sorted_env(part: Any) -> Any:
    plain = yaml.safe_load(yaml.safe_dump(part))
    # What is the default anyway is not written here.
    if plain.get("cachingOptions") == {}:
        del plain["cachingOptions"]
    container = plain.get("container", {})
    if "env" in container:
        container["env"] = sorted(container["env"], key=lambda variable: variable["name"])
    return plain


PIPELINE_WIDE = {
    "ttl": (
        {"ttl": {"completion": "1w", "success": 600, "failure": "2d"}, "deadline": "12h"},
        dsl.PipelineConfig(
            ttl_seconds_after_finished=604_800,
            ttl_seconds_after_success=600,
            ttl_seconds_after_failure=172_800,
            active_deadline_seconds=43_200,
        ),
    ),
    "ttl_short": ({"ttl": 604800}, dsl.PipelineConfig(ttl_seconds_after_finished=604_800)),
}


@pytest.mark.parametrize("name", PIPELINE_WIDE)
def test_kfp_writes_the_same_for_the_whole_run(name: str, tmp_path: Path) -> None:
    config, pipeline_config = PIPELINE_WIDE[name]
    ours = compiled(config)
    _, platform = by_hand(ours, as_it_is, tmp_path, pipeline_config=pipeline_config)
    assert dict(ours.platform_spec) == platform


@pytest.mark.parametrize("name", [*CASES, *PIPELINE_WIDE])
def test_golden_and_kfps_own_loader(name: str) -> None:
    config = CASES[name].config if name in CASES else PIPELINE_WIDE[name][0]
    ours = compiled(config)
    check_golden(f"settings/{name}.yaml", ours.text)
    loaded = components.load_component_from_text(ours.text)
    assert loaded.name == "demo"
    assert bool(loaded.platform_spec.platforms) is bool(ours.platform_spec)
