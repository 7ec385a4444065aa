"""Where Kubeflow Pipelines is and how to reach it: the top-level keys of kubeflow.yml beside ``auth``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from kedro_kubeflow.config.host import namespace_of_address, plain_address
from kedro_kubeflow.config.model import Model


class PipelineConfig(Model):
    """The uploaded pipeline."""

    shared: bool = False
    """Whether it is uploaded for everybody, into no namespace, on a server with several users. Its maker cannot delete it
    there: that takes an administrator."""


class ServerConfig(Model):
    """Where Kubeflow Pipelines is and how to reach it."""

    host: str | None = None
    """The address of Kubeflow Pipelines' API, with its path where it has one: `https://kubeflow.example.com/pipeline`. It may
    be copied out of the browser: what stands behind the path is left out, and `ns=` is taken as the namespace."""

    ui_host: str | None = None
    """The address of its UI, for links; `host` where it is not given."""

    namespace: str | None = None
    """Your profile's namespace, on a server with several users; in a pod of the cluster it is found."""

    experiment_namespace: str | None = None
    """The namespace of experiments and runs, where it is another than that of the pipelines."""

    pipeline: PipelineConfig = Field(default_factory=PipelineConfig)
    """How the pipeline is uploaded."""

    ssl_ca_cert: str | None = None
    """A file with the CA that signed the server's certificate; `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE` or the public CAs
    where it is not given."""

    verify_ssl: bool = True
    """Whether the server's certificate is checked."""

    ssl_client_cert: str | None = None
    """A file with a client certificate, for servers that ask for one."""

    ssl_client_key: str | None = None
    """The file of that certificate's key, if it is not in the same file."""

    request_timeout: float = Field(default=60.0, gt=0)
    """Seconds without an answer after which a request has failed."""

    @field_validator("host", "ui_host")
    @classmethod
    def _has_scheme(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} has no scheme; write it as https://{value} (or http://)")
        return plain_address(value) if value else None

    @model_validator(mode="before")
    @classmethod
    def _namespace_of_host(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and not value.get("namespace") and isinstance(value.get("host"), str):
            found = namespace_of_address(value["host"])
            return {**value, "namespace": found} if found else value
        return value

    @property
    def shown_at(self) -> str | None:
        """Where people look at runs: the UI's address."""
        return self.ui_host or self.host
