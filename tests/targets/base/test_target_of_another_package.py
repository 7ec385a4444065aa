"""A target that another package brings: found by its entry point, configured in kubeflow.yml, and used by every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

# What such a package holds: nothing in kedro_kubeflow knows it.
TARGET = '''
import json
from pathlib import Path
from dataclasses import replace

from kedro_kubeflow.targets.base.run import Run, Step
from kedro_kubeflow.targets.base.target import Reason, Target


class PaperTarget(Target):
    """Writes runs on paper, and takes each as done when it is looked at for the second time."""

    name = "paper"
    display_name = "Paper"
    noun, place = "sheet", "in the drawer"
    cannot = {"upload": Reason("paper has no shelves"), "pipelines": Reason("paper has no shelves"),
              "schedules": Reason("paper does not wake up", what="Paper does not wake up")}

    @property
    def drawer(self):
        return Path(self.config.targets["paper"]["drawer"])

    def adapt(self, compiled):
        return replace(compiled, description="on paper")

    def start(self, prepared, options, *, on_change=lambda run: None):
        number = str(len(list(self.drawer.glob("*.json"))) + 1)
        facts = {"name": options.run_name or prepared.compiled.name, "state": "RUNNING",
                 "steps": [step.name for step in prepared.plan.steps], "looks": 0}
        (self.drawer / f"{number}.json").write_text(json.dumps(facts))
        (self.drawer / f"{number}.yaml").write_text(prepared.compiled.text)
        return self.get(number)

    def get(self, run_id):
        file = self.drawer / f"{run_id}.json"
        facts = json.loads(file.read_text())
        facts["looks"] += 1
        facts["state"] = "SUCCEEDED" if facts["state"] == "RUNNING" and facts["looks"] > 2 else facts["state"]
        file.write_text(json.dumps(facts))
        steps = tuple(Step(name=name, display_name=name, state=facts["state"]) for name in facts["steps"])
        return Run(id=run_id, name=facts["name"], state=facts["state"], steps=steps, canceled=facts["state"] == "CANCELED")

    def runs(self, *, limit=20, pipeline=None):
        return [self.get(file.stem) for file in sorted(self.drawer.glob("*.json"), reverse=True)][:limit]

    def logs(self, run, step=None):
        return {s.display_name: f"written: {s.name}" for s in run.steps if step in (None, s.name)}

    def terminate(self, run_id):
        file = self.drawer / f"{run_id}.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"state": "CANCELED"}))
        return self.get(run_id)

    def link(self, run_id=None):
        return str(self.drawer / f"{run_id}.yaml" if run_id else self.drawer)
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    """A project beside a package that is installed as pip would: a module, and its metadata."""
    site = tmp_path_factory.mktemp("site")
    (site / "on_paper.py").write_text(TARGET, "utf-8")
    metadata = site / "on_paper-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: on-paper\nVersion: 1.0\n", "utf-8")
    points = (
        "[kedro_kubeflow.targets]\npaper = on_paper:PaperTarget\nbroken = on_paper:Nothing\nnone = on_paper:TARGETS\n"
    )
    (metadata / "entry_points.txt").write_text(points, "utf-8")
    made = make_project(tmp_path_factory.mktemp("project"))
    made.environ["PYTHONPATH"] = str(site)
    drawer = site / "drawer"
    drawer.mkdir()
    made.conf("kubeflow", {"targets": {"paper": {"drawer": str(drawer)}}, "run_config": {"image": "demo:1"}})
    return made


def kubeflow(project: KedroProject, *words: str) -> str:
    return project.kedro("kubeflow", *words).ok().out


def test_every_command_knows_it(project: KedroProject) -> None:
    """It is the only one that is configured, so nobody needs to name it."""
    done = project.kedro("kubeflow", "run-once", "--run-name", "first").ok()
    assert done.out.splitlines()[-1] == "1"
    assert "Sheet 'first' (1)" in done.err
    drawer = Path(kubeflow(project, "ui", "--no-browser").splitlines()[-1])
    assert "Description: on paper" in (drawer / "1.yaml").read_text()
    waited = project.kedro("kubeflow", "run-once", "--wait-for-completion", "--run-name", "second").ok()
    assert "run: RUNNING" in waited.err
    assert "second: SUCCEEDED" in waited.out
    out = kubeflow(project, "runs", "--output", "json")
    assert [r["name"] for r in json.loads(out[out.index("[\n") :])] == ["second", "first"]
    assert "prepare" in kubeflow(project, "status", "1", "--target", "paper")
    assert "written: total" in kubeflow(project, "logs", "1", "total")
    third = kubeflow(project, "run-once").splitlines()[-1]
    assert "CANCELED" in kubeflow(project, "terminate", third)
    assert "sheet was canceled" not in kubeflow(project, "status", third)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["upload-pipeline"], "Paper cannot do this: paper has no shelves"),
        (["schedule", "--list"], "Paper does not wake up"),
        (["retry", "1"], "Paper cannot do this (retry)"),
        (
            ["runs", "--target", "papr"],
            "'papr' is not one of 'broken', 'kubeflow', 'local', 'none', 'paper', 'vertexai'",
        ),
        (["runs", "--target", "broken"], "The target 'broken' cannot be loaded"),
    ],
)
def test_what_it_cannot_do(project: KedroProject, words: list[str], what: str) -> None:
    assert what in project.kedro("kubeflow", *words).failed().err
