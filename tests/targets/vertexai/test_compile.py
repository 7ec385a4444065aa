"""The compiled pipeline of both targets side by side: they differ only where Vertex AI does."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from golden_file import check_golden
from google.protobuf import json_format
from kedro_project import KedroProject
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from kedro_kubeflow.api import compile_project
from kedro_kubeflow.contract import StepCall, runtime_arguments
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.prepared import Prepared
from kedro_kubeflow.request import Request
from kedro_kubeflow.targets.base.prepare import prepare
from targets.vertexai.conftest import SECTION

IMAGE = "europe-docker.pkg.dev/my-project/r/demo:1"


def compiled(project: KedroProject, target: str, run_config: dict[str, Any] | None = None, **section: Any) -> Prepared:
    run = {"image": IMAGE, **(run_config or {})}
    project.conf("kubeflow", {"host": "https://kfp.example.com", "vertexai": {**SECTION, **section}, "run_config": run})
    return prepare(Request(target=target))  # type: ignore[arg-type]


def container(prepared: Prepared, task: str) -> dict[str, Any]:
    found: dict[str, Any] = prepared.compiled.pipeline_spec["deploymentSpec"]["executors"][f"exec-{task}"]["container"]
    return found


@pytest.mark.parametrize("target", ["kubeflow", "vertexai"])
def test_golden(project: KedroProject, target: str) -> None:
    run = {
        "resources": {
            "__default__": {"cpu": "500m", "memory": "1Gi"},
            "tag:gpu": {"cpu": 4, "accelerators": {"NVIDIA_TESLA_T4": 2}},
        },
        "env": {"__default__": {"LEVEL": "info"}},
        "retry_policy": {"train": {"num_retries": 2}},
        "cache": {"prepare": True},
    }
    network = {"host_aliases": [{"ip": "10.0.0.1", "hostnames": ["mlflow.internal"]}]}
    check_golden(f"vertex/{target}.yaml", compiled(project, target, run, network=network).compiled.text)


def test_one_document_that_kfp_reads_strictly(project: KedroProject) -> None:
    prepared = compiled(project, "vertexai", {"image_pull_policy": "Always"})
    [document] = yaml.safe_load_all(prepared.compiled.text)
    spec = json_format.ParseDict(document, ir.PipelineSpec())
    json_format.ParseDict(json_format.MessageToDict(spec.deployment_spec), ir.PipelineDeploymentConfig())
    assert spec.default_pipeline_root == "gs://my-bucket/runs"


def test_every_step_knows_its_job_save_the_cached(project: KedroProject) -> None:
    prepared = compiled(project, "vertexai", {"cache": {"prepare": True}})
    components = prepared.compiled.pipeline_spec["components"]
    inside = components["comp-exit-handler-1"]["dag"]["tasks"]
    given = inside["train"]["inputs"]["parameters"]
    assert given["kubeflow-run-id"] == {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
    assert given["kubeflow-run-name"] == {"runtimeValue": {"constant": "{{$.pipeline_job_name}}"}}
    assert "parameters" not in inside["prepare"].get("inputs", {})


def test_types_have_their_version(project: KedroProject) -> None:
    for target, versions in (("vertexai", {"0.0.1"}), ("kubeflow", {None})):
        components = compiled(project, target).compiled.pipeline_spec["components"].values()
        sides = [c[side] for c in components for side in ("inputDefinitions", "outputDefinitions") if side in c]
        types = [a["artifactType"] for side in sides for a in side.get("artifacts", {}).values()]
        assert {kind.get("schemaVersion") for kind in types} == versions


def test_nothing_of_kubeflows_ui_is_told(project: KedroProject) -> None:
    start = container(compiled(project, "vertexai"), "mlflow-start-run")
    call, _ = StepCall.from_argv(runtime_arguments([*start["command"], *start["args"]]))
    assert call.settings["run_url"] == (
        "https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines/runs/{job}?project=my-project"
    )
    assert "kfp.example.com" not in str(start)


class TestResources:
    def resources(self, project: KedroProject, **keys: Any) -> Any:
        run = {"resources": {"train": keys.pop("resources")}, **keys}
        return container(compiled(project, "vertexai", run), "train").get("resources")

    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            ({"cpu": "500m", "memory": "2Gi"}, {"cpuLimit": 0.5, "memoryLimit": 2.147483648}),
            ({"limits": {"cpu": 8}}, {"cpuLimit": 8.0}),
            ({"requests": {"memory": "4G"}}, {"memoryLimit": 4.0}),
            ({"requests": {"cpu": 1}, "limits": {"cpu": 2}}, {"cpuLimit": 2.0}),
            ({"accelerators": {"NVIDIA_L4": 1}}, {"accelerator": {"type": "NVIDIA_L4", "count": "1"}}),
            ({"accelerators": {"TPU_V3": 8}}, {"accelerator": {"type": "TPU_V3", "count": "8"}}),
        ],
    )
    def test_machines_follow_from_limits(self, project: KedroProject, asked: Any, given: Any) -> None:
        assert self.resources(project, resources=asked) == given

    @pytest.mark.parametrize(
        ("label", "kind"),
        [("nvidia-tesla-t4", "NVIDIA_TESLA_T4"), ("NVIDIA_TESLA_T4", "NVIDIA_TESLA_T4"), ("nvidia-l4", "NVIDIA_L4")],
    )
    def test_gkes_label_names_the_accelerator(self, project: KedroProject, label: str, kind: str) -> None:
        selector = {"train": {"cloud.google.com/gke-accelerator": label}}
        given = self.resources(project, resources={"nvidia.com/gpu": 2}, node_selector=selector)
        assert given == {"accelerator": {"type": kind, "count": "2"}}

    @pytest.mark.parametrize("asked", [{"nvidia.com/gpu": 1}, {"accelerators": {"nvidia-t4": 1}}])
    def test_an_accelerator_that_is_not_named(self, project: KedroProject, asked: Any) -> None:
        with pytest.raises(ConfigError, match="must know which one it is") as caught:
            self.resources(project, resources=asked)
        assert "accelerators: {NVIDIA_TESLA_T4: 1}" in str(caught.value.cure)


class TestRefused:
    @pytest.mark.parametrize(
        ("run_config", "setting", "way"),
        [
            (
                {"tolerations": {"train": [{"key": "gpu", "operator": "Exists"}]}},
                "tolerations ('train')",
                "`resources`",
            ),
            ({"node_selector": {"train": {"disk": "ssd"}}}, "node_selector ('train')", "gke-accelerator"),
            (
                {"image_pull_secrets": ["registry"]},
                "image_pull_secrets ('mlflow-start-run', 'prepare', 'train', …)",
                "artifactregistry.reader",
            ),
            ({"image_pull_policy": "Never"}, "image_pull_policy", "pulled for every step"),
            ({"pod_labels": {"train": {"a": "b"}}}, "pod_labels", "`vertexai.labels`"),
            ({"security_context": {"train": {"run_as_user": 1}}}, "security_context ('train')", "USER"),
            ({"timeout": {"train": "2h"}}, "timeout ('train')", "no time limit"),
            (
                {"env": {"train": {"KEY": {"secret": "s", "key": "k"}}}},
                "env, from a secret ('train')",
                "Secret Manager",
            ),
            ({"env": {"train": {"KEY": {"config_map": "c"}}}}, "env, from a config map", "give the value itself"),
            ({"env": {"train": {"NODE": {"field": "spec.nodeName"}}}}, "env, from a field of the pod", "no pods"),
            (
                {"extra_volumes": {"train": [{"mount_path": "/s", "volume": {"secret": {"secret_name": "s"}}}]}},
                "extra_volumes (secret) ('train')",
                "Secret Manager",
            ),
            ({"volume": {"size": "1Gi"}}, "volume", "/gcs"),
            ({"ttl": "1d"}, "ttl", "lifecycle rule"),
            ({"deadline": "1d"}, "deadline", "no time limit"),
        ],
    )
    def test_with_vertex_ais_own_way(self, project: KedroProject, run_config: Any, setting: str, way: str) -> None:
        with pytest.raises(ConfigError) as caught:
            compiled(project, "vertexai", run_config)
        lines = [line for line in caught.value.what.splitlines() if line.startswith(f"  {setting}")]
        assert lines, caught.value.what
        assert way in lines[0]
        assert compiled(project, "kubeflow", run_config)

    def test_all_at_once(self, project: KedroProject) -> None:
        with pytest.raises(ConfigError) as caught:
            compiled(
                project, "vertexai", {"ttl": "1d", "timeout": {"train": 60}, "pod_annotations": {"report": {"a": "b"}}}
            )
        assert len(re.findall(r"^  ", caught.value.what, re.MULTILINE)) == 3


class TestTarget:
    def test_the_one_that_is_configured(self, project: KedroProject) -> None:
        project.conf("kubeflow", {"vertexai": SECTION, "run_config": {"image": IMAGE}})
        assert prepare(Request()).target == "vertexai"
        project.conf("kubeflow", {"host": "https://kfp.example.com", "run_config": {"image": IMAGE}})
        assert prepare(Request()).target == "kubeflow"
        project.conf("kubeflow", {"run_config": {"image": IMAGE}})
        assert prepare(Request()).target == "kubeflow"

    def test_both(self, project: KedroProject) -> None:
        compiled(project, "kubeflow")
        with pytest.raises(ConfigError, match="both configured") as caught:
            prepare(Request())
        assert "--target vertexai" in str(caught.value.cure)
        assert prepare(Request(either_target=True)).target == "kubeflow"

    def test_from_python(self, project: KedroProject) -> None:
        spec = compiled(project, "vertexai").compiled
        assert compile_project(target="vertexai") == spec

    def test_one_that_is_not_configured(self, project: KedroProject) -> None:
        project.conf("kubeflow", {"host": "https://kfp.example.com", "run_config": {"image": IMAGE}})
        with pytest.raises(ConfigError, match="Vertex AI Pipelines is not configured") as caught:
            prepare(Request(target="vertexai"))
        assert "project_id: PROJECT" in str(caught.value.cure)


class TestVertexaiYml:
    FILE = {  # noqa: RUF012
        "project_id": "my-project",
        "region": "europe-west1",
        "run_config": {
            "image": IMAGE,
            "root": "my-bucket/runs",
            "experiment_name": "demo",
            "resources": {"gpu": {"cpu": 4, "gpu": 1}, "prepare": {"memory": "4Gi"}},
            "node_selectors": {"gpu": {"cloud.google.com/gke-accelerator": "NVIDIA_TESLA_T4"}},
        },
    }

    def test_alone(self, project: KedroProject) -> None:
        project.conf("vertexai", self.FILE)
        prepared = prepare(Request())
        assert prepared.target == "vertexai"
        assert container(prepared, "train")["resources"] == {
            "cpuLimit": 4.0,
            "accelerator": {"type": "NVIDIA_TESLA_T4", "count": "1"},
        }
        assert container(prepared, "prepare")["resources"] == {"memoryLimit": 4.294967296}

    def test_beside_kubeflow_yml(self, project: KedroProject) -> None:
        project.conf("vertexai", self.FILE)
        project.conf("kubeflow", {"host": "https://kfp.example.com", "run_config": {"image": "other:1"}})
        with pytest.raises(ConfigError, match="both configured"):
            prepare(Request())
        images = {
            target: container(prepare(Request(target=target)), "train")["image"] for target in ("kubeflow", "vertexai")
        }  # type: ignore[arg-type]
        assert images == {"kubeflow": "other:1", "vertexai": IMAGE}

    def test_twice(self, project: KedroProject) -> None:
        project.conf("vertexai", self.FILE)
        project.conf("kubeflow", {"vertexai": SECTION})
        with pytest.raises(ConfigError, match="configured twice"):
            prepare(Request())

    def test_what_is_wrong_is_told_in_its_own_words(self, project: KedroProject) -> None:
        project.conf("vertexai", {key: value for key, value in self.FILE.items() if key != "region"})
        with pytest.raises(ConfigError, match="'region' is missing"):
            prepare(Request())
        run = {**self.FILE["run_config"], "root": "s3://bucket"}  # type: ignore[dict-item]
        project.conf("vertexai", {**self.FILE, "run_config": run})
        with pytest.raises(
            ConfigError, match=r"'run_config.root': 's3://bucket' is no folder in Cloud Storage"
        ) as caught:
            prepare(Request())
        assert caught.value.where == "conf, vertexai.yml"

    def test_kubeflow_is_not_there(self, project: KedroProject) -> None:
        project.conf("vertexai", self.FILE)
        with pytest.raises(ConfigError, match=r"has no kubeflow.yml"):
            prepare(Request(target="kubeflow"))
