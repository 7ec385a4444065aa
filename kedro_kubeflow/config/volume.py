"""``run_config.volume``: one volume a run, shared by its steps."""

from __future__ import annotations

from pathlib import PurePosixPath

from pydantic import Field, field_validator, model_validator

from kedro_kubeflow.config.extra_volumes import AccessMode
from kedro_kubeflow.config.model import Model
from kedro_kubeflow.config.quantity import Storage


class VolumeConfig(Model):
    """One volume a run, shared by its steps: what the catalog keeps under the project's data folder lives there, and steps
    read each other's files in place. A first task, `fill-volume`, copies the image's data folder onto it.

    It is KFP's pipeline workspace, which belongs to the run: it goes with a run that succeeds, and else with the run's
    workflow (`ttl`). A volume that is kept cannot belong to the run: with `keep` it is a claim that a first task,
    `create-volume`, makes. Without `volume`, files cross from step to step as artifacts, and none is needed.
    """

    storageclass: str | None = None
    """The storage class; the cluster's default where it is not given."""

    size: Storage = "1Gi"
    """How large it is."""

    access_modes: tuple[AccessMode, ...] = Field(default=("ReadWriteOnce",), min_length=1)
    """Who may mount it. With `ReadWriteOnce`, steps that run at the same time must share a node of the cluster; where the
    storage class can, `ReadWriteMany` serves better."""

    skip_init: bool = False
    """Whether the volume starts empty."""

    keep: bool = False
    """Whether it stays after the run. Nothing of this package deletes it then."""

    owner: int | None = Field(default=None, ge=0)
    """The user number that steps run as, so that all of them may write; `security_context` goes before it."""

    fill_as_root: bool = False
    """Whether `fill-volume` runs as root, whatever `security_context` says, and then lets everybody write to the volume, or only
    `owner` where root has the right to give files away, which Kubeflow Pipelines takes from it. New disks often belong to root,
    and Kubeflow Pipelines has no way to ask for another group (`fsGroup`). The cluster must let images run as root."""

    folder: str = "data"
    """The project's folder that it stands for, relative to the project."""

    @field_validator("folder")
    @classmethod
    def _relative(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"{value!r} is no folder inside the project")
        return path.as_posix()

    @model_validator(mode="after")
    def _claim(self) -> VolumeConfig:
        if self.keep and not self.storageclass:
            raise ValueError(
                "with `keep`, `storageclass` is needed: Kubeflow Pipelines' own task that makes a claim has no word for the "
                "cluster's default"
            )
        if self.fill_as_root and self.skip_init:
            raise ValueError("`fill_as_root` is of no use with `skip_init`, which leaves `fill-volume` out")
        return self
