"""What a step says when it fails: the last lines, the exit code, nothing half-told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro_project import KedroProject, Result, make_project

PIPELINE = """
import os, threading
import pluggy
from kedro.io import AbstractDataset
from kedro.pipeline import Pipeline, node

class Full(AbstractDataset):
    def __init__(self, filepath, metadata=None): pass
    def _load(self): raise NotImplementedError
    def _save(self, data):
        with open("/dev/full", "w") as file:
            file.write("x" * 100_000)
    def _describe(self): return {}

class Lost(Full):
    def _save(self, data): pass

def lock(): return threading.Lock()
def one(): return 1
def use(x): return 1
def fail(raw): raise ValueError("two\\nlines")
def leave(): raise SystemExit(0)
def vanish(): os._exit(0)
def odd(): return "not for the hook"
def watched():
    thread = threading.Thread(target=os._exit, args=[0])  # As a watchdog does, with a code that says nothing.
    thread.start()
    thread.join()
def forks():
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return 1
def plugged():
    plugins = pluggy.PluginManager("theirs")
    plugins.add_hookspecs(Theirs)
    plugins.register(Theirs())
    plugins.hook.of_a_library()
class Theirs:
    @pluggy.HookspecMarker("theirs")
    @pluggy.HookimplMarker("theirs")
    def of_a_library(self): raise ValueError("inside of the node")
class Own(BaseException): pass
def wrap():
    try:
        {}["customer"]
    except KeyError as error:
        raise Own from error

def create_pipeline():
    return Pipeline([
        node(lock, None, "lock", name="lock"), node(use, "lock", "used", name="use"),
        node(one, None, "full", name="full"), node(one, None, "lost", name="lost"),
        node(fail, "raw", "failed", name="fail"), node(use, "missing", "loaded", name="load"),
        node(leave, None, "left", name="leave"), node(vanish, None, "gone", name="vanish"),
        node(watched, None, "watch", name="watched"), node(forks, None, "forked", name="forks"),
        node(odd, None, "odd", name="odd"), node(use, "odd", "used odd", name="use_odd"),
        node(wrap, None, "wrapped", name="wrap"), node(plugged, None, "theirs", name="plugged"),
    ])
"""
SETTINGS = """
from kedro.framework.hooks import hook_impl

class Schemas:
    @hook_impl
    def before_dataset_saved(self, dataset_name):
        if dataset_name == "odd":
            raise ValueError("a schema that it does not fit")

HOOKS = (Schemas(),)
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "missing": {"type": "json.JSONDataset", "filepath": "data/01_raw/missing.json"},
    "full": {"type": "demo.pipelines.main.Full", "filepath": "data/x"},
    "lost": {"type": "demo.pipelines.main.Lost", "filepath": "data/y.txt"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(
        tmp_path_factory.mktemp("errors"), pipelines=PIPELINE, catalog=CATALOG, parameters={}, settings=SETTINGS
    )
    made.kubeflow("compile", "-o", "p.yaml").ok()
    return made


def run_step(project: KedroProject, name: str) -> Result:
    spec: dict[str, Any] = next(yaml.safe_load_all((project.path / "p.yaml").read_text()))
    container = spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
    made = spec["components"][f"comp-{name}"].get("outputDefinitions", {}).get("artifacts", {})
    folder = project.path / "out" / name
    message = {
        "outputs": {
            "artifacts": {n: {"artifacts": [{"name": n, "uri": str(folder / n)}]} for n in made},
            "outputFile": str(folder / "out.json"),
        }
    }
    done = project.python(*container["command"][1:], *container["args"][:-1], json.dumps(message))
    assert (folder / "out.json").exists() == (done.code == 0)
    return done


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("lock", ["dataset 'lock' is in memory only", "cannot pickle '_thread.lock'", "declare it in the catalog"]),
        ("full", ["The disk is full while saving 'full'", "No space left on device", "node 'full'"]),
        ("lost", ["has to write the dataset 'lost' for later steps", "y.txt"]),
        ("fail", ["The node failed: ValueError: two lines", "node 'fail'"]),
        ("load", ["Loading the dataset 'missing' failed", "missing.json", "node 'load'"]),
        ("wrap", ["The node failed: Own, because of KeyError: 'customer'", "node 'wrap', src/demo/", "in wrap"]),
        ("leave", ["sys.exit(0)", "node 'leave'", "let the node return"]),
        (
            "odd",
            [
                "The hook before_dataset_saved of 'odd' failed: ValueError: a schema",
                "node 'odd', src/demo/settings.py, line",
            ],
        ),
        ("plugged", ["The node failed: ValueError: inside of the node", "node 'plugged', src/demo/"]),
        ("vanish", ["os._exit(0)", "node 'vanish'", "let the node return"]),
    ],
)
def test_the_last_lines_say_what_failed(project: KedroProject, step: str, said: list[str]) -> None:
    done = run_step(project, step)
    assert done.code == 1, done.text
    end = done.err[done.err.index(f"kedro-kubeflow: step {step!r} failed") :]
    for text in said:
        assert text in end
    assert "Traceback" not in end


def test_what_a_node_raised_is_in_the_log_with_its_place(project: KedroProject) -> None:
    done = run_step(project, "fail")
    assert "pipelines/main/__init__.py" in done.text
    assert Path(project.path / "out/fail/failed").exists() is False


def test_a_thread_that_ends_the_process_ends_it_without_success(project: KedroProject) -> None:
    done = run_step(project, "watched")
    assert done.code == 1
    assert "a thread of the step has called os._exit(0)" in done.err


def test_processes_that_a_node_forks_end_as_they_like(project: KedroProject) -> None:
    assert run_step(project, "forks").code == 0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ImportError('no libfoo.so')", "ImportError: no libfoo.so"),
        ("import sys; sys.exit(0)", "calls sys.exit(0)"),
    ],
)
def test_a_plugin_that_does_not_load_is_named(tmp_path: Path, code: str, said: str) -> None:
    made = make_project(tmp_path, pipelines=PIPELINE, catalog=CATALOG, parameters={})
    made.write("src/odd_plugin.py", code)
    made.write("src/odd-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    made.write("src/odd-1.0.dist-info/entry_points.txt", "[kedro.hooks]\nodd = odd_plugin:hooks\n")
    made.kubeflow("compile", "-o", "p.yaml").ok()
    done = run_step(made, "fail")
    assert done.code == 2, done.text
    end = done.err[done.err.index("kedro-kubeflow: step 'fail' failed") :]
    assert said in end
    assert "src/odd_plugin.py, line 1" in end
