"""A factory of small, real Kedro projects: every test writes the one it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

KUBEFLOW = {"run_config": {"image": "registry.example.com/demo:1"}}

PIPELINE = """
from kedro.pipeline import Pipeline, node

def prepare(raw, limit):
    return [x for x in raw if x < limit]

def double(rows):
    return [2 * x for x in rows]

def total(rows, doubled):
    return {"total": sum(rows) + sum(doubled)}

def create_pipeline():
    return Pipeline([
        node(prepare, ["raw", "params:limit"], "rows", name="prepare"),
        node(double, "rows", "doubled", name="double"),
        node(total, ["rows", "doubled"], "report", name="total"),
    ])
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "report": {"type": "json.JSONDataset", "filepath": "data/08_reporting/report.json"},
}


@dataclass
class KedroProject:
    """A project on disk, and ways to run commands in it."""

    path: Path
    package: str = "demo"
    environ: dict[str, str] = field(default_factory=dict)

    def write(self, relative: str, text: str) -> Path:
        file = self.path / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip(), "utf-8")
        return file

    def conf(self, section: str, values: Any, env: str = "base") -> Path:
        return self.write(f"conf/{env}/{section}.yml", yaml.safe_dump(values, sort_keys=False, allow_unicode=True))

    def kedro(self, *words: str, env: Mapping[str, str] | None = None, timeout: float = 240) -> Result:
        """Run ``kedro WORDS`` as a user would, in a process of its own."""
        return self.python("-m", "kedro", *words, env=env, timeout=timeout)

    def kubeflow(self, *words: str, env: Mapping[str, str] | None = None) -> Result:
        """Run ``kedro kubeflow WORDS`` in a fork of this process: the same code, without a second of imports each time."""
        import kfp.compiler  # noqa: F401 - imported once, here, for every fork

        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                _be_the_command(words, self.path, self.environment(env), out.fileno(), err.fileno())
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            out.seek(0)
            err.seek(0)
            return Result(code, out.read().decode(), err.read().decode())

    def run_once(
        self, *words: str, env: Mapping[str, str] | None = None, fresh: bool = False, isolated: bool = True
    ) -> Result:
        """Run the pipeline here, its steps as pods that share nothing.

        Args:
            fresh: with the command in a process of its own.
            isolated: False lets all steps work in the project's folder, as ``--local`` alone does.
        """
        how = ("--isolated",) if isolated else ()
        command = ("run-once", "--local", *how, "--output", "json", *words)
        return self.kedro("kubeflow", *command, env=env) if fresh else self.kubeflow(*command, env=env)

    def python(self, *words: str, env: Mapping[str, str] | None = None, timeout: float = 240) -> Result:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.path,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def holds(self, name: str) -> bool:
        """Whether a step has made a file of this name, wherever it works; folders of steps go while this looks."""
        return any(name in files for _, _, files in os.walk(self.path / ".kubeflow"))

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KEDRO_", "KFP_", "PYTHONDONT"))}
        return {**clean, "DO_NOT_TRACK": "1", "COLUMNS": "160", **self.environ, **(extra or {})}


def _be_the_command(words: Sequence[str], cwd: Path, environ: Mapping[str, str], out: int, err: int) -> NoReturn:
    """In a forked child: run the command line and end, whatever happens."""
    code = 1
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(environ)
        from kedro_kubeflow.cli import commands

        commands.main(["kubeflow", *words], prog_name="kedro")
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def facts(self) -> Any:
        """The JSON object of ``--output json``, after what Kedro has logged."""
        return json.loads(self.out[self.out.index("{\n") :])

    def ok(self) -> Result:
        assert self.code == 0, f"exit code {self.code}\n{self.text}"
        return self

    def failed(self, code: int | None = None) -> Result:
        assert self.code != 0, self.text
        assert code is None or self.code == code, f"exit code {self.code}, not {code}\n{self.text}"
        assert "Traceback (most recent call last)" not in self.text, self.text
        return self


def make_project(
    path: Path,
    *,
    pipelines: Mapping[str, str] | str = PIPELINE,
    catalog: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    kubeflow: Mapping[str, Any] | None = KUBEFLOW,
    mlflow: Mapping[str, Any] | None = None,
    settings: str = "",
    registry: str | None = None,
    data: Mapping[str, str] | None = None,
    requirements: Sequence[str] = (),
) -> KedroProject:
    """Write a project.

    Args:
        pipelines: source of each pipeline module by name, or of the only one.
        mlflow: mlflow.yml; without it kedro-mlflow is switched off for the project.
    """
    project = KedroProject(path)
    project.write(
        "pyproject.toml",
        """
        [project]
        name = "demo"
        version = "0.1"
        [tool.kedro]
        package_name = "demo"
        project_name = "Demo"
        kedro_init_version = "1.2.0"
        source_dir = "src"
        """,
    )
    off = "" if mlflow is not None else 'DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow", "kedro_mlflow")\n'
    project.write("src/demo/__init__.py", "")
    project.write("src/demo/settings.py", off + settings)
    project.write(
        "src/demo/pipeline_registry.py",
        registry
        or """
        from kedro.framework.project import find_pipelines

        def register_pipelines():
            pipelines = find_pipelines(raise_errors=True)
            pipelines["__default__"] = sum(pipelines.values())
            return pipelines
        """,
    )
    modules = {"main": pipelines} if isinstance(pipelines, str) else pipelines
    project.write("src/demo/pipelines/__init__.py", "")
    for name, source in modules.items():
        project.write(f"src/demo/pipelines/{name}/__init__.py", source)
    project.conf("catalog", dict(CATALOG if catalog is None else catalog))
    project.conf("parameters", dict({"limit": 4} if parameters is None else parameters))
    if kubeflow is not None:
        project.conf("kubeflow", dict(kubeflow))
    if mlflow is not None:
        project.conf("mlflow", dict(mlflow))
    project.write("conf/local/.gitkeep", "")
    for name, text in (data if data is not None else {"data/01_raw/raw.json": "[1, 2, 3, 4, 5]"}).items():
        project.write(name, text)
    return project
