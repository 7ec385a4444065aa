"""Where the server is, and the links that open its things in the UI."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from kedro_kubeflow.config.host import namespace_of_address, plain_address
from kedro_kubeflow.errors import ConfigError


@dataclass(frozen=True)
class Address:
    """The address of the API and that of the UI, both without a slash at the end.

    >>> Address.parse("https://kubeflow.example.com/_/pipeline/?ns=team-a#/runs").run_link("1")
    'https://kubeflow.example.com/pipeline/#/runs/details/1'

    Attributes:
        namespace: the one that the address names, as one copied from Kubeflow's dashboard does.
    """

    host: str
    ui_host: str
    namespace: str | None = None

    @classmethod
    def parse(cls, host: str | None, ui_host: str | None = None) -> Address:
        """Read the addresses as a user writes them.

        Args:
            host: where the API is, with a path prefix where there is one.
            ui_host: where the UI is, if not there too.

        Raises:
            ConfigError: there is no address, or it is none.
        """
        if not host:
            raise ConfigError(
                "No Kubeflow Pipelines server is configured",
                where="kubeflow.yml, host",
                cure="set it there, such as https://kubeflow.example.com/pipeline",
            )
        plain = _plain(host, "host")
        return cls(plain, _plain(ui_host, "ui_host") if ui_host else plain, namespace_of_address(host))

    @property
    def same_origin(self) -> bool:
        """Whether API and UI are one server, so that credentials for the one may be shown to the other."""
        return urlsplit(self.host)[:2] == urlsplit(self.ui_host)[:2]

    def pipeline_link(self, pipeline_id: str, version_id: str | None = None) -> str:
        """A pipeline, or one of its versions."""
        version = f"/version/{version_id}" if version_id else ""
        return f"{self.ui_host}/#/pipelines/details/{pipeline_id}{version}"

    def run_link(self, run_id: str) -> str:
        """A run."""
        return f"{self.ui_host}/#/runs/details/{run_id}"

    def schedule_link(self, recurring_run_id: str) -> str:
        """A recurring run."""
        return f"{self.ui_host}/#/recurringrun/details/{recurring_run_id}"


def _plain(text: str, key: str) -> str:
    where = f"kubeflow.yml, {key}"
    parts = _split(text.strip(), where)
    if parts.scheme not in ("http", "https"):
        bare = text.strip().removeprefix("//")
        raise ConfigError(
            f"The address {bare!r} has no scheme", where=where, cure=f"write https://{bare} or http://{bare}"
        )
    if not parts.hostname:
        raise ConfigError(f"The address {text!r} names no host", where=where, cure="write https://host/path")
    if parts.username or parts.password:
        raise ConfigError(
            "The address holds a user name or a password", where=where, cure="take it out; credentials go under `auth`"
        )
    return plain_address(text)


def _split(text: str, where: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(
            f"The address cannot be read: {error}", where=where, cure="write https://host:port/path"
        ) from None
    return parts
