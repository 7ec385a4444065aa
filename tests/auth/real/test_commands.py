"""`kedro kubeflow login` and `logout`, as people type them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project
from kfp_server import KfpServer, Options
from kfp_server.server import Gate

from auth.real.person import Person

PIPELINE = """
from kedro.pipeline import Pipeline, node

def create_pipeline():
    return Pipeline([node(lambda: 1, None, "one", name="one")])
"""


@pytest.fixture
def project(issuer: str, logins: Path, tmp_path: Path) -> KedroProject:
    pytest.importorskip("authlib")
    auth = {"type": "browser", "issuer": issuer, "prompt": "consent"}
    made = make_project(
        tmp_path / "project", pipelines=PIPELINE, kubeflow={"auth": auth, "run_config": {"image": "x:1"}}
    )
    made.environ = {"KEDRO_KUBEFLOW_LOGINS": str(logins)}
    return made


def log_in(project: KedroProject, *more: str) -> tuple[int, str, str]:
    """The command, and a person who reads the address on its terminal."""
    command = [sys.executable, "-m", "kedro", "kubeflow", "login", "--no-browser", *more]
    env = {**os.environ, **project.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=project.path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if line.startswith("http://"):
                Person(line.strip())
                break
        out, err = process.communicate(timeout=60)
    return process.returncode, out, said + err


def test_logging_in_and_out(project: KedroProject, issuer: str, logins: Path) -> None:
    code, out, err = log_in(project)
    assert code == 0, err
    # Kedro's own log goes before.
    assert out.endswith(f"Logged in at {issuer} as ann@example.com; the login is renewed by itself\n")
    token = json.loads(next(logins.iterdir()).read_text())["id_token"]
    assert token not in out + err
    assert project.kedro("kubeflow", "logout").ok().out.endswith(f"Logged out at {issuer}\n")
    assert project.kedro("kubeflow", "logout").ok().out.endswith("Nobody was logged in\n")


@pytest.mark.parametrize("takes", [True, False])
def test_the_server_is_asked_whether_it_takes_the_login(project: KedroProject, takes: bool) -> None:
    with KfpServer(Options(multi_user=True)) as server:
        server.gate = Gate(None if takes else set())
        config: dict[str, Any] = {"host": server.url}
        (project.path / "conf/local/kubeflow.yml").write_text(json.dumps(config))
        code, out, err = log_in(project, "--output", "json")
    if takes:
        assert code == 0, err
        said = json.loads(out[out.index("{\n") :])
        assert (said["user"], said["renewed"]) == ("ann@example.com", True)
    else:
        assert code == 4
        assert "Error: Could not reach Kubeflow Pipelines: " in err


def test_another_way_to_authenticate_is_configured(project: KedroProject) -> None:
    (project.path / "conf/local/kubeflow.yml").write_text(json.dumps({"auth": "dex"}))
    for command in ("login", "logout"):
        done = project.kedro("kubeflow", command)
        assert done.code == 2
        assert "`auth` is 'dex', which needs no login beforehand" in done.text
