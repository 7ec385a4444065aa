"""MLflow's REST API, asked as mlflow.yml says, without the Kedro context: no hook runs, and no experiment is made.

https://mlflow.org/docs/latest/api_reference/rest-api.html
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.project.conf import read_section
from kedro_kubeflow.project.mlflow_plugin import mlflow_section
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.tracking.variables import variables

_API = "/api/2.0/mlflow/"


@dataclass(frozen=True)
class PlainRequests:
    """Requests to a project's MLflow server.

    Attributes:
        uri: the server's address.
        seconds: how long each request may take.
    """

    project: OpenProject
    uri: str
    seconds: float

    def get(self, path: str, **values: str) -> dict[str, Any]:
        """Ask; see ``post``."""
        return self._send("GET", path, params=values)

    def post(self, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Ask; gives the answer's JSON, an empty one where what is asked for is not there.

        Args:
            path: below ``api/2.0/mlflow``, such as ``runs/search``.

        Raises:
            TrackingError: the server refuses.
            Exception: whatever MLflow, requests or a request header provider raises.
        """
        return self._send("POST", path, json=dict(values))

    def _send(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        from mlflow.utils.credentials import get_default_host_creds
        from mlflow.utils.rest_utils import http_request

        server = mlflow_section(self.project.config_loader()).get("server") or {}
        with variables(self._credentials(server.get("credentials"))):
            answer = http_request(
                get_default_host_creds(self.uri),
                _API + path,
                method,
                max_retries=0,
                timeout=self.seconds,
                raise_on_status=False,
                extra_headers=self._headers(server.get("request_header_provider") or {}),
                **body,
            )
        if answer.status_code == 404 and "RESOURCE_DOES_NOT_EXIST" in answer.text:
            return {}
        if answer.status_code != 200:
            raise TrackingError(f"it answers {answer.status_code}", where=path)
        found: dict[str, Any] = answer.json()
        return found

    def _credentials(self, name: str | None) -> dict[str, str]:
        """The variables that credentials.yml holds for MLflow, as kedro-mlflow sets them."""
        known = read_section(self.project.config_loader(), "credentials", missing={}) if name else None
        return dict((known or {}).get(name) or {})

    def _headers(self, given: Mapping[str, Any]) -> dict[str, str]:
        if not given.get("type"):
            return {}
        module, _, name = str(given["type"]).rpartition(".")
        context = SimpleNamespace(
            config_loader=self.project.config_loader(), env=self.project.env, project_path=self.project.path
        )
        more = {"kedro_context": context} if given.get("pass_context") else {}
        provider = getattr(importlib.import_module(module), name)(**(given.get("init_kwargs") or {}), **more)
        return dict(provider.request_headers()) if provider.in_context() else {}
