"""Every answer that a real multi-user KFP 2.17.0 gave, replayed at its own path; and no recorded answer that no test reads."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from kfp_server.replay import RECORDED, replayed
from kfp_server.specs import package

from kedro_kubeflow.errors import AuthError, KedroKubeflowError
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.steps import PodStep
from targets.kubeflow.test_recorded import client_of, schedule, start

TESTS = Path(__file__).parents[2]
Call = Callable[[KubeflowClient, str], object]


def by_hand(method: str) -> Call:
    """What the product never asks in this way: its answer is held against what the client makes of any."""

    def call(client: KubeflowClient, path: str) -> object:
        server = client.server
        with server.errors("do it"):
            body = {} if method == "POST" else None
            return server.connection.request(method, server.address.host + path, body=body).data

    return call


def ui(client: KubeflowClient, path: str) -> object:
    parts = urlsplit(path)
    with client.server.errors("read it"):
        return client.server.connection.once(parts.path, dict(parse_qsl(parts.query)))


def log(client: KubeflowClient, path: str) -> object:
    step = PodStep(name="hello", display_name="hello", state="SUCCEEDED", pods=("pod",))
    return client.logs.of(KubeflowRun(id="1", name="r", state="SUCCEEDED", steps=(step,)), step)


def namespace(path: str) -> str:
    return dict(parse_qsl(urlsplit(path).query)).get("namespace", "team-a")


def experiment(client: KubeflowClient, path: str) -> object:
    return client.server.experiments.experiment_service_get_experiment("x")


CALLS: dict[str, Call] = {
    r"GET \S+/healthz": lambda c, _: c.server.health,
    r"GET \S+/runs(\?\S*)?": lambda c, path: list(c.runs.list(namespace=namespace(path), limit=3)),
    r"GET \S+/v2beta1/runs/[^/:]+": lambda c, _: c.runs.get("x"),
    r"POST \S+/runs": lambda c, _: start(c),
    r"POST \S+/runs/[^/]+:terminate": lambda c, _: c.runs.terminate("x"),
    r"POST \S+/runs/[^/]+:retry": lambda c, _: c.runs.retry("x"),
    r"DELETE \S+/runs/[^/]+": lambda c, _: c.runs.delete("x"),
    r"GET \S+/experiments(\?\S*)?": lambda c, path: c.experiments.names(namespace(path)),
    r"POST \S+/experiments": lambda c, _: c.experiments.ensure("e"),
    r"GET \S+/recurringruns(\?\S*)?": lambda c, path: list(c.recurring_runs.list(namespace(path))),
    r"POST \S+/recurringruns": lambda c, _: schedule(c),
    r"POST \S+/recurringruns/[^/]+:disable": lambda c, _: c.recurring_runs.disable("x"),
    r"DELETE \S+/recurringruns/[^/]+": lambda c, _: c.recurring_runs.delete("x"),
    r"GET \S+/pipelines(\?\S*)?": lambda c, _: list(c.pipelines.list()),
    r"GET \S+/pipelines/names/\S+": lambda c, _: c.pipelines.find("x") or "none",
    r"GET \S+/pipelines/[^/]+/versions(\?\S*)?": lambda c, _: list(c.pipelines.versions("x")),
    r"GET \S+/pipelines/[^/]+/versions/\S+": lambda c, _: c.pipelines.version("x", "y"),
    r"POST \S+/pipelines/upload\?\S+": lambda c, _: c.uploads.upload(package()),
    r"GET (/apis/v1alpha1/\S+/log|/k8s/pod/logs\S+)": log,
    r"GET (/artifacts/get|\S+:read|/apis/v1beta1/auth)\S*": ui,
    r"GET \S+": by_hand("GET"),
    r"POST \S+": by_hand("POST"),
    r"DELETE \S+": by_hand("DELETE"),
}
# Beside the answer that a test is about.
AROUND = {
    "healthz": "multi-user/healthz.json",
    "/log": "log-api-wrong-pod.json",
    "/k8s/pod/logs": "log-ui-wrong-pod.html",
}


def rows() -> list[tuple[str, str, str, int]]:
    with (RECORDED / "multi-user" / "INDEX.tsv").open() as file:
        read = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(name, method, path, int(status)) for name, _, method, path, _, status in read]


def file_of(name: str) -> str:
    found = [f"multi-user/{name}{end}" for end in (".json", ".txt") if (RECORDED / f"multi-user/{name}{end}").exists()]
    return found[0]


def asks_for(method: str, path: str) -> Call:
    return next(call for pattern, call in CALLS.items() if re.fullmatch(pattern, f"{method} {path}"))


def answers_around(name: str, method: str, path: str) -> dict[str, str]:
    """What else is asked on the way, and is there."""
    if "healthz" in path:
        return {}
    around = {key: value for key, value in AROUND.items() if key.strip("/") not in path}
    if method == "POST" and "/experiments" in path:
        around["experiments?"] = "experiments-none.json"
    if "/upload" in path:
        around["/names/"] = "error-404-pipeline-by-name.json"
        if file_of(name).endswith(".json") and "upload?" in path:
            around["/versions?"] = "pipeline-versions-page.json"
    if re.search(r":(terminate|retry)$", path):
        around["/runs/x?"] = around["/runs/x"] = "multi-user/get-run.json"
        around = {":terminate": file_of(name), ":retry": file_of(name), **around}
    elif "/runs/" in path:
        around["versions/"] = "error-404-version.json"
    if path.startswith(("/k8s", "/artifacts")):
        around["healthz"] = "multi-user/ui-healthz.json"
    return around


def told(name: str, method: str, path: str) -> object:
    """What the client makes of an answer, or the error that people read."""
    with replayed(file_of(name)) as server:
        server.answers = answers_around(name, method, path)
        client = client_of(server.url, namespace="team-a")
        try:
            return asks_for(method, path)(client, path)
        except KedroKubeflowError as error:
            return error


@pytest.mark.parametrize(("name", "method", "path", "status"), rows(), ids=[row[0] for row in rows()])
def test_an_answer(name: str, method: str, path: str, status: int) -> None:
    found = told(name, method, path)
    if status in (401, 403):
        assert isinstance(found, AuthError), found
    elif status >= 400 and not ("/names/" in path and status == 404):
        assert isinstance(found, KedroKubeflowError), found
    elif re.search(r"/log$", path) and "error_message" in (RECORDED / file_of(name)).read_text("utf-8"):
        assert "no log of it was archived" in str(found) or "not found" in str(found)
    else:
        assert not isinstance(found, KedroKubeflowError), found
    if isinstance(found, KedroKubeflowError):
        said = str(found)
        assert len(said) < 900
        assert not re.search(r"goroutine|\.go:\d+|<html|Traceback", said)


def test_no_answer_is_there_for_nothing() -> None:
    """Each is in the index, and so replayed above, or named by a test."""
    indexed = {file_of(name) for name, *_ in rows()}
    source = "\n".join(file.read_text("utf-8") for file in TESTS.rglob("*.py"))
    for file in sorted(RECORDED.rglob("*")):
        name = file.relative_to(RECORDED).as_posix()
        if file.is_dir() or name.endswith((".status", "INDEX.tsv", "README.md")):
            continue
        assert name in indexed or re.search(rf"\b{re.escape(file.stem)}\b", source), f"{name} is read by no test"


def test_every_recorded_answer_has_its_status() -> None:
    for file in RECORDED.rglob("*.status"):
        assert re.match(r"\d{3}", file.read_text("utf-8")), file
        assert file.with_suffix("").exists(), file
