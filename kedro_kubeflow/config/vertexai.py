"""``vertexai``: Vertex AI Pipelines as the place where pipelines run (https://cloud.google.com/vertex-ai/docs/pipelines)."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, IPvAnyAddress, field_validator, model_validator

from kedro_kubeflow.config.model import Model

_LABEL = r"[\w-]{0,63}"


class HostAlias(Model):
    """Names of a host that the network's own name service does not know."""

    ip: IPvAnyAddress
    """The host's address."""

    hostnames: tuple[str, ...] = Field(min_length=1)
    """Its names."""

    @field_validator("hostnames")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name):
                raise ValueError(f"{name!r} is no host name")
        return value


class NetworkConfig(Model):
    """The network that steps are in."""

    vpc: str | None = None
    """The VPC that steps are peered with, by its full name: `projects/NUMBER/global/networks/NAME`."""

    host_aliases: tuple[HostAlias, ...] = ()
    """Lines that each step adds to its container's `/etc/hosts` when it starts. The image must run as root for that."""

    @field_validator("vpc")
    @classmethod
    def _vpc(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"projects/[^/\s]+/global/networks/[^/\s]+", value):
            raise ValueError(f"{value!r} is no network's full name; write projects/PROJECT_NUMBER/global/networks/NAME")
        return value


class VertexAIConfig(Model):
    """Where and how pipelines run on Vertex AI Pipelines."""

    project_id: str
    """The Google Cloud project."""

    region: str
    """The region, such as `europe-west1`."""

    root: str
    """The folder in Cloud Storage that holds the artifacts of all runs: `gs://BUCKET/FOLDER`."""

    service_account: str | None = None
    """The e-mail address of the service account that steps run as; Compute Engine's default one where it is not given."""

    network: NetworkConfig = Field(default_factory=NetworkConfig)
    """The network that steps are in."""

    experiment_name: str | None = None
    """The Vertex AI experiment that runs are filed under; made if it is not there."""

    experiment_description: str | None = None
    """What the experiment is for, said when it is made."""

    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of every run, as costs are told apart by: lowercase letters, digits, `_` and `-`."""

    encryption_key: str | None = None
    """The Cloud KMS key that encrypts what a run leaves behind: `projects/…/locations/REGION/keyRings/…/cryptoKeys/…`."""

    failure_policy: Literal["slow", "fast"] = "slow"
    """What happens after a step has failed. `slow`: steps that do not need it still start. `fast`: no further step starts."""

    api_endpoint: str | None = None
    """The address of the API where it is not `REGION-aiplatform.googleapis.com`, as with Private Service Connect."""

    @field_validator("project_id")
    @classmethod
    def _project(cls, value: str) -> str:
        if not re.fullmatch(r"([a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d+", value):
            raise ValueError(f"{value!r} is no project's id; `gcloud projects list` shows them")
        return value

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        if re.fullmatch(r"[a-z]+-[a-z]+\d+-[a-z]", value):
            raise ValueError(f"{value!r} is a zone; its region is {value[:-2]!r}")
        if not re.fullmatch(r"[a-z]+-[a-z]+\d+", value):
            raise ValueError(f"{value!r} is no region; they are called like europe-west1")
        return value

    @field_validator("root")
    @classmethod
    def _root(cls, value: str) -> str:
        bucket = r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"
        if not re.fullmatch(rf"gs://{bucket}(/[^\s#?*\[\]]*)?", value):
            raise ValueError(f"{value!r} is no folder in Cloud Storage; write gs://BUCKET/FOLDER")
        return value.rstrip("/")

    @field_validator("service_account")
    @classmethod
    def _service_account(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
            raise ValueError(f"{value!r} is no service account's e-mail address: NAME@PROJECT.iam.gserviceaccount.com")
        return value

    @field_validator("experiment_name")
    @classmethod
    def _experiment(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,127}", value):
            raise ValueError(f"{value!r} is no experiment's name: at most 128 lowercase letters, digits and dashes")
        return value

    @field_validator("labels")
    @classmethod
    def _labels(cls, value: dict[str, str]) -> dict[str, str]:
        for key, item in value.items():
            if not re.fullmatch(rf"[^\W\d_A-Z]{_LABEL}", key) or key != key.lower() or len(key) > 63:
                raise ValueError(
                    f"{key!r} is no label's key: a lowercase letter, then letters, digits, `_`, `-`; at most 63"
                )
            if not re.fullmatch(_LABEL, item) or item != item.lower():
                raise ValueError(
                    f"{item!r} is no label's value: lowercase letters, digits, `_` and `-`; at most 63 ({key!r})"
                )
        if len(value) > 56:
            raise ValueError("there is room for 56 labels beside the plugin's own")
        return value

    @field_validator("api_endpoint")
    @classmethod
    def _api_endpoint(cls, value: str | None) -> str | None:
        if value is None:
            return value
        here = re.fullmatch(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", value)
        if not here and not re.fullmatch(r"(https://)?[A-Za-z0-9.-]+(:\d+)?", value):
            raise ValueError(f"{value!r} is no address of an API; write it as HOST, HOST:PORT or https://HOST")
        return value

    @model_validator(mode="after")
    def _key_in_region(self) -> VertexAIConfig:
        if self.encryption_key is None:
            return self
        place = re.fullmatch(r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+", self.encryption_key)
        if not place:
            raise ValueError(
                f"`encryption_key` is {self.encryption_key!r}; write "
                "projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY"
            )
        if place.group(1) != self.region:
            raise ValueError(f"`encryption_key` is in {place.group(1)!r}; it must be in the region {self.region!r}")
        return self

    def job_link(self, job: str) -> str:
        """Where people look at a job."""
        return f"{self._console}/runs/{job}?project={self.project_id}"

    def schedule_link(self, schedule: str) -> str:
        """Where people look at a schedule."""
        return f"{self._console}/schedules/{schedule}?project={self.project_id}"

    @property
    def ui_link(self) -> str:
        """Where people look at all of the project's pipelines."""
        return f"https://console.cloud.google.com/vertex-ai/pipelines?project={self.project_id}"

    @property
    def _console(self) -> str:
        return f"https://console.cloud.google.com/vertex-ai/locations/{self.region}/pipelines"
