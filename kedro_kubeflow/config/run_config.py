"""``run_config``: how the pipeline's steps run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from kedro_kubeflow.config.duration import Duration
from kedro_kubeflow.config.dynamic import DynamicConfigProvider
from kedro_kubeflow.config.environment import Environment
from kedro_kubeflow.config.exit import NotificationConfig
from kedro_kubeflow.config.extra_volumes import ExtraVolume
from kedro_kubeflow.config.grouping import GroupingConfig, with_grouping
from kedro_kubeflow.config.kubernetes import Affinity, Annotations, Labels, PullPolicy, SecurityContext, Toleration
from kedro_kubeflow.config.mlflow import MlflowConfig
from kedro_kubeflow.config.model import Model
from kedro_kubeflow.config.old_keys import without_gone
from kedro_kubeflow.config.quantity import amount
from kedro_kubeflow.config.resources import ResourcesConfig
from kedro_kubeflow.config.retry import RetryPolicyConfig
from kedro_kubeflow.config.schedules import ScheduleConfig
from kedro_kubeflow.config.selectors import Selected, SelectedMapping
from kedro_kubeflow.config.ttl import TtlConfig
from kedro_kubeflow.config.volume import VolumeConfig
from kedro_kubeflow.entries import MEMORY_DATASET


def _bytes(value: Any) -> Any:
    """An amount as bytes."""
    if value == "offload" or not isinstance(value, str):
        return value
    try:
        return int(amount(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no amount of bytes, such as 4Mi, and not `offload`") from error


WorkflowLimit = Annotated[Annotated[int, Field(gt=0)] | Literal["offload"], BeforeValidator(_bytes)]


class RunConfig(Model):
    """How the pipeline's steps run."""

    image: str | None = None
    """The image of every step: the project with its requirements, kedro-kubeflow among them. `-i` overrides it."""

    images: Selected[str] = Field(default_factory=dict)
    """The image of single steps, by selector; `image` is that of the others, and of the plugin's own tasks."""

    image_pull_policy: Selected[PullPolicy] = Field(default_factory=dict)
    """When a node of the cluster pulls the image: `Always`, `IfNotPresent` (where nothing is said) or `Never`."""

    image_pull_secrets: Selected[list[str]] = Field(default_factory=dict)
    """The Kubernetes secrets that the registry asks for."""

    code: Literal["image", "travel"] = "image"
    """Where steps take the project's code and configuration from: the image, or this working folder, whose files `travel` with
    the run (`code`)."""

    packaged: bool = False
    """Whether the image holds the project as an installed package (`kedro package`) rather than as its folder."""

    conf_source: str | None = None
    """Where the configuration lies in the image: a folder, the archive that `kedro package` makes, or a URL. A project folder
    has it in its own `conf`; a package needs it said."""

    experiment_name: str | None = None
    """The Kubeflow experiment that holds the runs; the project's name where it is not given."""

    run_name: str | None = None
    """What a run is called; `{parameter}` stands for a parameter's value."""

    scheduled_run_name: str | None = None
    """What the runs of a schedule are called; `run_name` where it is not given."""

    description: str | None = None
    """What the pipeline is for, shown in the UI."""

    wait_for_completion: bool = False
    """Whether `run-once` waits for the run's end."""

    memory_dataset: dict[str, Any] = Field(default_factory=lambda: dict(MEMORY_DATASET))
    """The catalog entry, without a path, that stores datasets which are in memory only when they cross from one step to
    another. Its type must take a `filepath`."""

    mlflow: MlflowConfig = Field(default_factory=MlflowConfig)
    """How the steps share one MLflow run."""

    hooks: Literal["per_step", "per_run"] = "per_step"
    """When hooks of the project (`HOOKS` in settings.py) and of plugins hear of a run's beginning and end
    (`before_pipeline_run`, `after_pipeline_run`, `on_pipeline_error`): in every step, or once a run, in the start task and in
    the exit task, which a pipeline with an MLflow run has. Those of kedro-mlflow always hear it in every step, as each joins
    the MLflow run."""

    grouping: GroupingConfig = Field(default_factory=GroupingConfig)
    """Which nodes share a step."""

    resources: SelectedMapping[ResourcesConfig] = Field(default_factory=dict)
    """Cpu, memory and accelerators. Nodes that share a step need what the largest of them needs. The plugin's own tasks take
    what `__default__` says, without its accelerators."""

    retry_policy: SelectedMapping[RetryPolicyConfig] = Field(default_factory=dict)
    """How often a failed step is tried again. The nodes of a step take the largest number of each kind. A task that runs an
    exit pipeline or sends notifications is not tried again unless it is named here."""

    timeout: Selected[Duration] = Field(default_factory=dict)
    """How long a step may take: seconds, or a number with `s`, `m`, `h` or `d`. Nodes that share a step may take as long as
    all of them together."""

    node_selector: SelectedMapping[Labels] = Field(default_factory=dict)
    """The labels that a node of the cluster must have."""

    tolerations: Selected[list[Toleration]] = Field(default_factory=dict)
    """The taints of cluster nodes that a step puts up with."""

    affinity: SelectedMapping[Affinity] = Field(default_factory=dict)
    """Which cluster nodes a step must, or would rather, run on."""

    pod_labels: SelectedMapping[Labels] = Field(default_factory=dict)
    """Labels of a step's pod."""

    pod_annotations: SelectedMapping[Annotations] = Field(default_factory=dict)
    """Annotations of a step's pod."""

    security_context: SelectedMapping[SecurityContext] = Field(default_factory=dict)
    """As whom a step runs."""

    env: SelectedMapping[Environment] = Field(default_factory=dict)
    """Environment variables: a literal, or a reference to a secret (`{secret: NAME, key: KEY}`), a config map
    (`{config_map: NAME, key: KEY}`) or a field of the pod (`{field: metadata.name}`). Of the environment that compiles,
    nothing else reaches a step; `${oc.env:NAME}` hands one of its variables on, as plain text."""

    extra_volumes: Selected[list[ExtraVolume]] = Field(default_factory=dict)
    """What is mounted into a step's container: secrets, config maps, claims that exist, volumes as long-lived as the pod,
    memory at `/dev/shm`."""

    cache: Selected[bool] = Field(default_factory=dict)
    """Whether a step's result may be taken from an earlier run with the same image, nodes, inputs, parameters, environment
    variables and configuration environment. Nodes that share a step must all allow it. What a step does beside its outputs,
    in MLflow or elsewhere, is not done again."""

    volume: VolumeConfig | None = None
    """One volume a run, shared by its steps."""

    store_kedro_outputs_as_kfp_artifacts: bool = True
    """With `volume`: whether files that steps write to it are stored as artifacts too, which the Kubeflow UI shows and which
    stay when the volume goes. Without `volume` they always are."""

    on_exit_pipeline: str | None = None
    """A registered pipeline that runs at the end, whatever became of the run, in one pod. Its parameter `kubeflow_run` says
    what became of it: `status` (`succeeded`, `failed` or `cancelled`), `failed_steps`, `run_id`, `pipeline`, `error`, and
    `mlflow_run_id` where there is one."""

    notifications: tuple[NotificationConfig, ...] = ()
    """Messages at the end of a run, with the same facts."""

    dynamic_config_providers: tuple[DynamicConfigProvider, ...] = ()
    """Configuration that is made in the pod when a step starts."""

    ttl: TtlConfig = Field(default_factory=TtlConfig)
    """How long the workflow stays in the cluster after its end: seconds, a number with `s`, `m`, `h`, `d` or `w`, or a
    mapping. The cluster's own rule holds where nothing is said."""

    workflow_limit: WorkflowLimit | None = None
    """How large a run may become as Argo keeps it: bytes, or an amount such as `4Mi`, where administrators have raised
    `MAX_WORKFLOW_SIZE` of Argo's controller and the limit of etcd; `offload` where the status of nodes is offloaded to a
    database. One mebibyte where nothing is said. What would not fit is refused before it starts."""

    deadline: Duration | None = None
    """How long the whole run may take. Needs Kubeflow Pipelines 2.17."""

    schedules: dict[str, ScheduleConfig] = Field(default_factory=dict)
    """When pipelines run by themselves, by pipeline name; `kedro kubeflow schedule` makes it so. `default_schedule` stands
    for pipelines that are not named."""

    service_account: str | None = None
    """The Kubernetes service account of the run's pods; the namespace's usual one where it is not given."""

    @model_validator(mode="before")
    @classmethod
    def _old_keys(cls, value: Any) -> Any:
        return with_grouping(without_gone(value)) if isinstance(value, Mapping) else value

    @field_validator("ttl", mode="before")
    @classmethod
    def _ttl(cls, value: Any) -> Any:
        return {"completion": value} if isinstance(value, str | int) else value or {}

    @model_validator(mode="after")
    def _packaged_needs_conf(self) -> RunConfig:
        if self.packaged and not self.conf_source:
            raise ValueError("`packaged` needs `conf_source`: an installed package does not hold the configuration")
        return self

    @field_validator("image")
    @classmethod
    def _image(cls, value: str | None) -> str | None:
        if value is not None and (not value or re.search(r"\s", value)):
            raise ValueError(f"{value!r} is no image reference")
        return value

    @field_validator("memory_dataset")
    @classmethod
    def _memory_dataset(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(value.get("type"), str):
            raise ValueError("a dataset's `type` is missing, such as `pickle.PickleDataset`")
        if "filepath" in value:
            raise ValueError("`filepath` is set for each step by the plugin; leave it out")
        return value

    def travels(self, asked: bool | None) -> bool:
        """Whether the working folder's code goes along with a run, where that is asked for, or else as `code` says."""
        return self.code == "travel" if asked is None else asked
