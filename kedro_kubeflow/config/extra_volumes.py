"""``run_config.extra_volumes``: what is mounted into a step's container, in Kubernetes' own terms.

https://kubernetes.io/docs/concepts/storage/volumes/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from kedro_kubeflow.config.kubernetes import Annotations, KubernetesModel, Labels
from kedro_kubeflow.config.quantity import Storage

AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
SOURCES = ("secret", "config_map", "persistent_volume_claim", "empty_dir", "ephemeral")


class SecretSource(KubernetesModel):
    """A secret, one file a key."""

    secret_name: str
    """Its name."""
    optional: bool = False
    """Whether the step may start without it."""


class ConfigMapSource(KubernetesModel):
    """A config map, one file a key."""

    name: str
    """Its name."""
    optional: bool = False
    """Whether the step may start without it."""


class ClaimSource(KubernetesModel):
    """A persistent volume claim that exists."""

    claim_name: str
    """Its name."""


class EmptyDirSource(KubernetesModel):
    """A folder that lives as long as the pod."""

    medium: Literal["", "Memory"] | None = None
    """`Memory`: in memory, as `/dev/shm` is."""
    size_limit: Storage | None = None
    """How large it may grow."""


class StorageRequests(KubernetesModel):
    """How much storage."""

    storage: Storage
    """The size."""


class StorageResources(KubernetesModel):
    """What is asked of the storage class."""

    requests: StorageRequests
    """The size."""


class ClaimSpec(KubernetesModel):
    """A volume claim that is made with the pod."""

    access_modes: tuple[AccessMode, ...] = Field(default=("ReadWriteOnce",), min_length=1)
    """Who may mount it."""
    resources: StorageResources
    """Its size."""
    storage_class_name: str | None = None
    """The storage class; the cluster's default where it is not given."""


class ClaimMetadata(KubernetesModel):
    """What the claim is marked with."""

    labels: Labels = Field(default_factory=dict)
    """Labels."""
    annotations: Annotations = Field(default_factory=dict)
    """Annotations."""


class ClaimTemplate(KubernetesModel):
    """A volume claim that is made with the pod."""

    spec: ClaimSpec
    """The claim."""
    metadata: ClaimMetadata = Field(default_factory=ClaimMetadata)
    """Its labels and annotations."""


class EphemeralSource(KubernetesModel):
    """A volume of a storage class that lives as long as the pod."""

    volume_claim_template: ClaimTemplate
    """What is claimed."""


class VolumeSource(KubernetesModel):
    """What is mounted: one of the kinds that Kubeflow Pipelines knows."""

    name: str | None = None
    """The volume's name in the pod, for `emptyDir` and `ephemeral`; made from the mount path where it is not given."""
    secret: SecretSource | None = None
    """A secret."""
    config_map: ConfigMapSource | None = None
    """A config map."""
    persistent_volume_claim: ClaimSource | None = None
    """A persistent volume claim that exists."""
    empty_dir: EmptyDirSource | None = None
    """A folder that lives as long as the pod."""
    ephemeral: EphemeralSource | None = None
    """A volume that lives as long as the pod."""

    @model_validator(mode="after")
    def _one(self) -> VolumeSource:
        if len(self.kinds) != 1:
            raise ValueError(
                "exactly one of secret, configMap, persistentVolumeClaim, emptyDir and ephemeral is needed; Kubeflow "
                "Pipelines mounts no other kind"
            )
        return self

    @property
    def kinds(self) -> list[str]:
        """Which sources are given."""
        return [kind for kind in SOURCES if getattr(self, kind) is not None]


class ExtraVolume(KubernetesModel):
    """A volume and where it is mounted."""

    mount_path: str
    """The folder in the container."""
    sub_path: str = ""
    """For a persistent volume claim: the folder in the volume."""
    volume: VolumeSource
    """What is mounted."""

    @field_validator("mount_path")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith("/") or ":" in value:
            raise ValueError(f"{value!r} is no absolute path")
        return value

    @model_validator(mode="after")
    def _sub_path(self) -> ExtraVolume:
        if self.sub_path and not self.volume.persistent_volume_claim:
            raise ValueError("`subPath` is for persistent volume claims")
        return self

    @property
    def pod_name(self) -> str:
        """What the volume is called in the pod: KFP calls secrets, config maps and claims by their own names."""
        source = self.volume
        if source.secret:
            return source.secret.secret_name
        if source.config_map:
            return source.config_map.name
        if source.persistent_volume_claim:
            return source.persistent_volume_claim.claim_name
        # Kubernetes takes no underscores here, and kedro-kubeflow's own examples had them.
        return re.sub(r"[^a-z0-9-]+", "-", (source.name or self.mount_path).lower()).strip("-")


def check_apart(volumes: Sequence[ExtraVolume]) -> None:
    """Refuse what Kubernetes would refuse.

    Raises:
        ValueError: two volumes of one pod have one name or one mount path.
    """
    names: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for volume in volumes:
        if names.setdefault(volume.pod_name, volume) != volume:
            raise ValueError(
                f"two volumes of one pod are called {volume.pod_name!r}; Kubeflow Pipelines names secrets, config maps and "
                "claims by their own names, so each can be mounted once"
            )
        if paths.setdefault(volume.mount_path.rstrip("/"), volume) != volume:
            raise ValueError(f"two volumes are mounted at {volume.mount_path!r}")
