"""`kedro kubeflow check --server`: what the server says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from kfp_server import KfpServer
from kfp_server.faults import Answer

from .conftest import Kedro

Configure = Callable[..., None]


def findings(kedro: Kedro, code: int = 0) -> dict[str, dict[str, Any]]:
    found = kedro("check", "--server", "--output", "json").failed(code).json["findings"]
    return {
        finding["id"]: finding for finding in found if finding["id"].startswith("server") or finding["id"] == "config"
    }


def test_a_server_that_answers(kedro: Kedro, server: KfpServer) -> None:
    found = findings(kedro)
    assert list(found) == ["server"]
    assert found["server"]["what"] == f"{server.url} answers and takes the credentials; its version is 2.17.0"
    server.options.face = "ui"
    assert findings(kedro)["server"]["what"].endswith("its version is 2.17.0")
    server.faults.add("GET /apis/v2beta1/healthz", Answer(200, b'{"multi_user": false}'), 2)
    assert findings(kedro)["server"]["what"].endswith("it does not say its version")


def health(server: KfpServer, version: str, times: int = 2) -> None:
    body = json.dumps({"multi_user": False, "tag_name": version}).encode()
    server.faults.add("GET /apis/v2beta1/healthz", Answer(200, body), times)


@pytest.mark.parametrize(("version", "said"), [("2.14.3", "a run's volume since 2.15"), ("2.17.0", None)])
def test_versions(kedro: Kedro, configure: Configure, server: KfpServer, version: str, said: str | None) -> None:
    configure({"volume": {"size": "1Gi"}})
    health(server, version)
    found = findings(kedro)
    assert f"its version is {version}" in found["server"]["what"]
    assert said in found["server-version"]["what"] if said else "server-version" not in found


def test_a_server_that_refuses(kedro: Kedro, server: KfpServer) -> None:
    server.faults.add("GET .*/runs", Answer(401), times=9)
    found = findings(kedro, code=1)
    assert found["server-auth"]["level"] == "error"


def test_no_server(kedro: Kedro, configure: Configure) -> None:
    configure(host=None)
    assert findings(kedro, code=1)["config"]["level"] == "error"


def test_a_server_that_is_not_there(kedro: Kedro, configure: Configure) -> None:
    configure(host="http://127.0.0.1:9")
    assert findings(kedro, code=1)["server"]["level"] == "error"


def test_without_the_option_nothing_is_sent(kedro: Kedro, server: KfpServer) -> None:
    kedro("check").ok()
    assert server.log == []
