"""The quickstart project that pages work with, made once, and the shell that types what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp_server import KfpServer, Script

from docs.console import Block, Command, matches, printed

QUICK_KEDRO = Path(__file__).parent / "quick_kedro.py"
HOST = "http://localhost:8080"
"""What pages call the Kubeflow Pipelines server; a stand-in answers here."""


@dataclass
class Reader:
    """Somebody who reads a page and does what it says, in a folder of their own."""

    folder: Path
    quickstart: Path
    server: KfpServer
    kedro: Path
    """The socket of the `kedro` that starts fast."""
    ids: dict[str, str] = field(default_factory=dict)
    """What the page calls a run → what it is called here."""

    def __post_init__(self) -> None:
        self.at = self.folder
        tools = self.folder / ".tools"
        tools.mkdir()
        # There is no container engine here: what is asked of its client is written down, and that is all.
        _script(tools / "docker", f'printf "%s\\n" "$*" >> {self.folder}/.docker')
        _script(tools / "kedro", f'exec {sys.executable} -I {QUICK_KEDRO} {self.kedro} "$@"')
        self._last_code = 0

    def start_in_project(self) -> None:
        """The quickstart project as `kedro new` makes it."""
        project = self.folder / self.quickstart.name
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(self.quickstart, project)
        self.at = project

    def follow(self, block: Block) -> None:
        """Do what a block says, and hold what it shows against what is printed."""
        if "fresh project" in block.marks:
            self.start_in_project()
        elif "file" in block.marks:
            target = self.at / block.marks["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._here(block.text) + "\n", "utf-8")
        elif "merge" in block.marks:
            self._merge(self.at / block.marks["merge"], yaml.safe_load(self._here(block.text)))
        elif block.is_typed:
            if "server" in block.marks:
                self.server.script(Script(failing=block.marks["server"].removeprefix("fails in ")))
            for command, expected in zip(block.commands, block.exit_codes, strict=True):
                self._type(command, expected, str(block))

    def _type(self, command: Command, expected: int, where: str) -> None:
        text = self._run(command.text)
        shown = f"{where}\n$ {command.text}\n" + "\n".join(printed(text))
        assert self._last_code == expected, f"exit code {self._last_code}, not {expected}\n{shown}"
        if command.shown is not None:
            assert matches(command.shown, printed(text), self.ids), f"{shown}\n\nthe page shows\n" + "\n".join(
                command.shown
            )

    def _run(self, text: str) -> str:
        script = f"(exit {self._last_code})\n{self._here(text)}\ncode=$?\npwd > {self.folder}/.at\nexit $code\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.at,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
            check=False,
        )
        self._last_code = done.returncode
        self.at = Path((self.folder / ".at").read_text().strip())
        return done.stdout.replace(self.server.url, HOST).replace(f"{self.folder}/", "/home/me/")

    def _here(self, text: str) -> str:
        for shown, real in self.ids.items():
            text = text.replace(shown, real)
        return text.replace(HOST, self.server.url)

    def _environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KEDRO_", "KFP_", "PYTHONDONT"))}
        path = os.pathsep.join([str(self.folder / ".tools"), str(Path(sys.executable).parent), os.environ["PATH"]])
        # Unbuffered, so that both of its outputs come in the order in which a terminal shows them.
        return {**clean, "PATH": path, "COLUMNS": "120", "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}

    def _merge(self, file: Path, values: Any) -> None:
        known = yaml.safe_load(file.read_text("utf-8")) if file.exists() else {}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(_merged(known or {}, values), sort_keys=False, allow_unicode=True), "utf-8")


def _script(file: Path, command: str) -> None:
    file.write_text(f"#!/bin/sh\n{command}\n")
    file.chmod(0o755)


def _merged(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that `kedro new --starter kubeflow-quickstart` makes."""
    folder = tmp_path_factory.mktemp("quickstart")
    words = ["new", "--starter", "kubeflow-quickstart", "--name", "Penguins", "--telemetry", "no"]
    subprocess.run([sys.executable, "-m", "kedro", *words], cwd=folder, check=True, capture_output=True)
    return folder / "penguins"


@pytest.fixture(scope="session")
def quick_kedro(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of the process that runs `kedro` for the pages."""
    path = tmp_path_factory.mktemp("kedro") / "socket"
    argv = [sys.executable, str(QUICK_KEDRO), "serve", str(path)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield path


@pytest.fixture
def reader(tmp_path: Path, quickstart: Path, quick_kedro: Path) -> Iterator[Reader]:
    with KfpServer() as server:
        yield Reader(tmp_path, quickstart, server, quick_kedro)
    assert server.violations == []
