"""A day: code that travels breaks a run here; mended, a new run goes on from it; what it has made is brought and loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kedro_project import KUBEFLOW, KedroProject, make_project

GOOD = 'return {"total": sum(rows) + sum(doubled)}'
BROKEN = "return 1 / 0"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(tmp_path_factory.mktemp("day"))
    made.conf("kubeflow", {**KUBEFLOW, "run_config": {**KUBEFLOW["run_config"], "mlflow": {"enabled": False}}})
    # What must never go along: canaries where people keep secrets.
    made.write("conf/local/credentials.yml", "db: CANARY\n")
    made.write(".env", "CANARY=1\n")
    made.write("src/demo/ignored.py", "CANARY = 1\n")
    made.write(".gitignore", "ignored.py\n")
    subprocess.run(["git", "init", "-q", str(made.path)], check=True)
    return made


def nodes(project: KedroProject) -> Path:
    return next(p for p in (project.path / "src").rglob("*.py") if "def total(" in p.read_text())


@pytest.fixture(scope="module")
def failed(project: KedroProject) -> str:
    """A run of code that travels, in which the last step fails; its id."""
    file = nodes(project)
    file.write_text(file.read_text().replace(GOOD, BROKEN))
    done = project.run_once("--with-code").failed(1)
    assert "The code of this folder goes along" in done.err
    file.write_text(file.read_text().replace(BROKEN, GOOD))
    facts = done.facts
    states = {step["step"]: step["state"] for step in facts["steps"]}
    assert {name: states[name] for name in ("prepare", "double", "total")} == {
        "prepare": "SUCCEEDED",
        "double": "SUCCEEDED",
        "total": "FAILED",
    }
    return str(facts["run_id"])


def test_no_canary_travels(project: KedroProject, failed: str) -> None:
    import lzma

    (archive,) = (project.path / ".kubeflow/code").glob("*.tar.xz")
    plain = lzma.decompress(archive.read_bytes())
    assert b"def total(" in plain
    assert b"CANARY" not in plain


def test_the_plan_says_what_is_taken_over_and_why(project: KedroProject, failed: str) -> None:
    said = project.kubeflow("plan", "--target", "local", "--resume", failed, "--output", "json").ok()
    planned = said.facts
    assert planned["taken_over"] == ["prepare", "double"]
    assert planned["reasons"] == {"total": "did not succeed there"}
    changed = project.kubeflow("plan", "--target", "local", "--resume", failed, "--params", "limit=5").ok().out
    assert "parameters have changed: limit" in changed


def test_a_new_run_goes_on_and_its_results_come_back(project: KedroProject, failed: str) -> None:
    done = project.run_once("--with-code", "--resume", failed).ok()
    assert f"Going on from {failed}: 2 steps taken over, 1 to run" in done.err
    listed = project.kubeflow("artifacts", "latest", "--target", "local", "--output", "json").ok().out
    found = json.loads(listed[listed.index("[") :])
    assert [(a["dataset"], a["step"]) for a in found] == [
        ("rows", "prepare"),
        ("doubled", "double"),
        ("report", "total"),
    ]
    brought = project.kubeflow("artifacts", "latest", "report", "--download", "--target", "local", "-o", "out").ok()
    assert json.loads((project.path / "out/report/report.json").read_text()) == {"total": 18}
    assert brought.out.strip().endswith("out/report/report.json")
    script = (
        "import kedro_kubeflow\n"
        f"first, last = kedro_kubeflow.run({failed!r}), kedro_kubeflow.run('latest', target='local')\n"
        "print(first.status, last.wait().state, last.load('report'), first.load('doubled'), list(last.steps))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project.path,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines()[-1].startswith("FAILED SUCCEEDED {'total': 18} [")


def test_what_cannot_be_gone_on_from_is_told(project: KedroProject, failed: str) -> None:
    gone = project.kubeflow("run-once", "--local", "--resume", "local-20200101-000000-abcdef").failed(6)
    assert "There is no run" in gone.err
    assert "goes together with --resume" in project.kubeflow("run-once", "--local", "--trust").failed(2).err
    unknown = project.kubeflow("run-once", "--local", "--resume", failed, "--from-nodes", "totall").failed(2)
    assert "Did you mean 'total'?" in unknown.err
    other = project.kubeflow("artifacts", failed, "raport").failed(2)
    assert "Did you mean 'report'?" in other.err
