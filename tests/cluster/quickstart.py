"""The quickstart project as its user has it here, told about the server; each test its own copy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from kedro_project import KedroProject, Result

from cluster.server import Place

LONGEST = 900
"""Seconds that a run may take on a small, busy cluster."""


def make_quickstart(folder: Path) -> Path:
    """``kedro new``, as the image's project was made."""
    words = ["new", "--starter", "kubeflow-quickstart", "--name", "Penguins", "--telemetry", "no"]
    subprocess.run([sys.executable, "-m", "kedro", *words], cwd=folder, check=True, capture_output=True)
    return folder / "penguins"


@dataclass
class Quickstart:
    """One copy of the project, and the commands of `kedro kubeflow` in it."""

    project: KedroProject
    place: Place
    name: str
    """What its pipeline and its experiment are called on the server."""
    runs: list[str] = field(default_factory=list)

    @classmethod
    def copy(cls, original: Path, folder: Path, place: Place, name: str, run_config: Mapping[str, Any]) -> Quickstart:
        shutil.copytree(original, folder)
        pyproject = folder / "pyproject.toml"
        pyproject.write_text(pyproject.read_text("utf-8").replace('"Penguins"', f'"{name}"'), "utf-8")
        project = KedroProject(folder, "penguins", {**place.environ, "KEDRO_ENV": place.env})
        common = {"image": place.image, "image_pull_policy": "IfNotPresent", "experiment_name": name, "run_name": name}
        kubeflow = {**place.kubeflow(), "run_config": {**common, **run_config}}
        # What the environment says is added to base key by key: base is that of the starter, without what matters here.
        project.conf("kubeflow", kubeflow, "base")
        project.conf("mlflow", {"server": {"mlflow_tracking_uri": place.mlflow}}, place.env)
        return cls(project, place, name)

    def kubeflow(self, *words: str, seconds: float = 300) -> Result:
        """``kedro kubeflow WORDS`` in a process of its own."""
        return self.project.kedro("kubeflow", *words, timeout=seconds)

    def start(self, *words: str) -> str:
        """Start a run and go on; its id."""
        run_id = str(self._json("run-once", *words, "--no-wait")["run_id"])
        self.runs.append(run_id)
        return run_id

    def upload(self, *words: str) -> dict[str, Any]:
        """Upload the pipeline, or a part of it; its ids."""
        return self._json("upload-pipeline", *words)

    def status(self, run_id: str) -> dict[str, Any]:
        return self._json("status", run_id)

    def until(self, run_id: str, *, seconds: float = LONGEST, settled: float = 45, every: float = 5) -> dict[str, Any]:
        """The run's end: its last status, once the steps' states have followed."""
        deadline, ended = time.monotonic() + seconds, 0.0
        while True:
            status = self.status(run_id)
            if status["finished_at"] and status["state"] in ("SUCCEEDED", "FAILED", "CANCELED"):
                ended = ended or time.monotonic()
                if not unfinished(status["steps"]) or time.monotonic() > ended + settled:
                    return status
            assert time.monotonic() < deadline, status
            time.sleep(every)

    def until_step(self, run_id: str, step: str, states: Sequence[str], *, seconds: float = 300) -> dict[str, Any]:
        """The run, as soon as one of its steps is in one of the states."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status(run_id)
            if states_of(status).get(step) in states:
                return status
            assert time.monotonic() < deadline, status
            time.sleep(2)

    def _json(self, *words: str) -> dict[str, Any]:
        value = printed_json(self.kubeflow(*words, "--output", "json").ok().out)
        assert isinstance(value, dict)
        return value


def printed_json(out: str) -> Any:
    """What a command printed as JSON, past the lines of Kedro's own log."""
    begins = re.search(r"^(\{|\[|\[\])$", out, re.MULTILINE)
    assert begins, out
    return json.loads(out[begins.start() :])


def states_of(status: Mapping[str, Any]) -> dict[str, str]:
    """Step → state."""
    return {step["step"]: step["state"] for step in status["steps"]}


def unfinished(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Steps whose state is not one of an end."""
    return [s["step"] for s in steps if s["state"] in ("WAITING", "PENDING", "RUNNING", "QUEUED")]


def parameters_file(project: KedroProject, values: Mapping[str, Any]) -> str:
    return str(project.write("given.yml", yaml.safe_dump(dict(values), allow_unicode=True)))
