"""Each step says where its results lie and what it has logged; code that travels is run, and kept with the run."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from kedro_project import KedroProject

from kedro_kubeflow.code.archive import pack
from kedro_kubeflow.code.files import CodeRules
from kedro_kubeflow.contract import Artifact, StepCall, runtime_arguments
from kedro_kubeflow.results.artifact import uris_in_log
from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.code import fetch_code, store_code
from tracking.pods import Pods


def test_where_results_lie_and_what_was_logged(pods: Callable[..., Pods]) -> None:
    run = pods()
    run.start().ok()
    said = dict(uris_in_log(run.pod("prepare").ok().text))
    store = run.folder / "store"
    assert said == {"rows": str(store / "prepare/rows")}
    assert set(dict(uris_in_log(run.pod(task(run, "ns.train")).ok().text))) == {"model"}
    known = run.tags
    assert known["kubeflow_artifact.rows"] == str(store / "prepare/rows")
    assert known["kubeflow_artifact.model"].endswith("/model")
    logged = json.loads(known["kubeflow_step_logged.ns.train"])
    assert {"loss", "accuracy"} <= set(logged["metrics"])
    assert "rate" in logged["params"]


def task(run: Pods, step: str) -> str:
    executors: dict[str, Any] = run.spec["deploymentSpec"]["executors"]
    return next(n.removeprefix("exec-") for n, e in executors.items() if step in e["container"].get("args", ()))


def travelling(run: Pods, project: KedroProject, source: str) -> str:
    """Let a run's steps take the code of a project as it is now; gives the digest."""
    rules = CodeRules(project=project.path, source=project.path / "src", conf_source=project.path / "conf")
    packed = pack(
        project.path, rules.names(), {"folders": ["src", "conf"], "requirements": {"requirements.txt": "0" * 64}}
    )
    where = {"inline": base64.b64encode(packed.content).decode()}
    if source == "mlflow":
        where = {"mlflow": store_code(run.client, packed.content, packed.digest)}
    told(run, "mlflow-start-run", packed.digest, {"code": where, "commit": "abc-dirty"}, hands_on=True)
    told(run, "prepare", packed.digest, {})
    component = run.spec["components"]["comp-mlflow-start-run"]["outputDefinitions"]["artifacts"]
    component["project-code"] = {"artifactType": {"schemaTitle": "system.Artifact"}}
    made = {"producerTask": "mlflow-start-run", "outputArtifactKey": "project-code"}
    inputs = run._task("prepare").setdefault("inputs", {})
    inputs.setdefault("artifacts", {})["project-code"] = {"taskOutputArtifact": made}
    return packed.digest


def told(run: Pods, name: str, digest: str, settings: dict[str, Any], *, hands_on: bool = False) -> None:
    """Change what a task is told."""
    container = run.spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
    call, _ = StepCall.from_argv(runtime_arguments([*container["command"], *container["args"]]))
    outputs = (*call.outputs, Artifact("project-code", "project-code", "code")) if hands_on else call.outputs
    argv = replace(call, code=digest, outputs=outputs, settings={**call.settings, **settings}).to_argv()
    container["command"], container["args"] = argv[:4], argv[4:]


@pytest.mark.parametrize("source", ["inline", "mlflow"])
def test_code_travels(pods: Callable[..., Pods], fragile: KedroProject, source: str) -> None:
    run = pods(name=source)
    file = next(p for p in (fragile.path / "src").rglob("*.py") if "def prepare(" in p.read_text())
    in_image = file.read_text()
    fragile.write("requirements.txt", "kedro\n")
    head = "def prepare(raw, limit, options):"
    file.write_text(in_image.replace(head, f"{head}\n    print('as it travelled')"))
    try:
        digest = travelling(run, fragile, source)
    finally:
        file.write_text(in_image)
    run.start().ok()
    said = run.pod("prepare").ok().text
    assert "as it travelled" in said
    assert "built with other requirements than the code needs (requirements.txt differs)" in said
    assert "requirements.txt differs" in run.tags[tags.CODE_WARNING]
    assert run.tags[tags.CODE] == digest
    assert run.tags[tags.COMMIT] == "abc-dirty"
    assert run.mlflow_run_id
    assert fetch_code(run.client, run.mlflow_run_id, digest)
