"""`local.isolation`: a step cannot tell whether it is a fork or a process of its own. The awkward project, run both ways."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KUBEFLOW, KedroProject

from kedro_kubeflow.targets.local.processes import can_fork

from .awkward import awkward_project

pytestmark = [
    pytest.mark.skipif(not can_fork(), reason="no safe fork on this platform"),
    pytest.mark.timeout(1200),
]

# Everything that a process can see of itself, written down before each node runs.
OBSERVER = """
import gc, json, locale, logging, multiprocessing, os, pathlib, random, resource, signal, sys, threading, time, warnings
from kedro.framework.hooks import hook_impl

def _handlers(name):
    logger = logging.getLogger(name)
    return [logger.level, logger.propagate, [
        [type(h).__module__ + "." + type(h).__name__, h.level, str(getattr(h.formatter, "_fmt", None)),
         getattr(getattr(h, "console", None), "width", None)] for h in logger.handlers]]

def _descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass
    return sorted(found.values())

class Observer:
    @hook_impl
    def before_node_run(self, node):
        import numpy
        main = sys.modules["__main__"]
        facts = {
            "environ": dict(os.environ),
            "cwd": os.getcwd(),
            "argv": sys.argv,
            "orig_argv": sys.orig_argv,
            "path": sys.path,
            "main": [main.__name__, main.__spec__.name, main.__file__, main.__package__, sorted(vars(main))],
            "loggers": {n: _handlers(n) for n in (None, "kedro", "demo", "kedro_kubeflow", "py.warnings", "matplotlib")},
            "known loggers": [n for n in ("demo", "kedro") if n in logging.root.manager.loggerDict],
            "warnings": [str(f) for f in warnings.filters if "register_new_resolver" in str(f)],
            "signals": {s.name: str(getattr(signal.getsignal(s), "__qualname__", signal.getsignal(s))) for s in
                        (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1)},
            "mask": [str(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
            "umask": os.umask(0o022),
            "leads its group": os.getpgrp() == os.getpid(),
            "descriptors": _descriptors(),
            "threads": sorted(t.name for t in threading.enumerate()),
            "main thread": threading.current_thread() is threading.main_thread(),
            "stdin": os.readlink("/proc/self/fd/0"),
            "streams": [[s.encoding, s.errors, s.isatty(), s.line_buffering, s.name]
                        for s in (sys.stdin, sys.stdout, sys.stderr)],
            "limits": [resource.getrlimit(l) for l in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_CORE)],
            "nice": os.nice(0),
            "flags": str(sys.flags),
            "garbage": [gc.isenabled(), gc.get_threshold()],
            "locale": [locale.getlocale(), time.tzname, time.timezone],
            "processes": [str(multiprocessing.parent_process()), multiprocessing.current_process().name],
            "hooks": [sys.excepthook.__module__, sys.displayhook.__module__, warnings.showwarning.__module__],
            "own code": sorted(m for m in sys.modules if m == "demo" or m.startswith("demo.")),
            "recursion": sys.getrecursionlimit(),
            "kedro": [m for m in ("kedro.framework.project", "kedro.framework.session") if m in sys.modules],
            "clean": sys.modules["kedro.framework.project"].LOGGING["loggers"].keys().__repr__(),
        }
        drawn = [random.random(), float(numpy.random.random())]
        file = pathlib.Path(os.environ["FACTS"], node.name + ".json")
        file.write_text(json.dumps({"facts": facts, "drawn": drawn}))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The project run as processes, and as forks."""
    folder = tmp_path_factory.mktemp("isolation")
    project = awkward_project(
        folder / "project", settings="from demo.observer import Observer\nHOOKS = (Observer(),)\n"
    )
    project.write("src/demo/observer.py", OBSERVER)
    found = {}
    for isolation in ("process", "fork"):
        project.conf("kubeflow", {**KUBEFLOW, "local": {"isolation": isolation}})
        found[isolation] = one_run(project, folder / isolation)
    return found


def one_run(project: KedroProject, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    words = ("kubeflow", "run-once", "--local", "--output", "json")
    done = project.kedro(*words, env={"FACTS": str(folder)}, timeout=900).ok()
    facts: dict[str, Any] = json.loads(done.out[done.out.index("\n{") :])
    seen = {file.stem: json.loads(file.read_text()) for file in sorted(folder.iterdir())}
    run = Path(facts["folder"])
    return {
        "facts": {
            f"{name}: {key}": masked(in_order(value), run, folder)
            for name, one in seen.items()
            for key, value in one["facts"].items()
        },
        "drawn": [number for one in seen.values() for number in one["drawn"]],
        "logs": {log.name: masked(log.read_text("utf-8"), run, folder) for log in sorted((run / "logs").iterdir())},
        "steps": {s["step"]: (s["state"], sorted(s["outputs"])) for s in facts["steps"]},
        "outputs": {name: content(Path(path)) for s in facts["steps"] for name, path in s["outputs"].items()},
        "said": {
            f.parent.name: masked(in_order(json.loads(f.read_text("utf-8"))), run, folder)
            for f in run.rglob("executor_output.json")
        },
        "preloaded": (run / "preload.log").exists(),
        "printed": masked(done.err, run, folder),
    }


def in_order(value: Any) -> str:
    """JSON, keys in order: protobuf, which writes the executor input, keeps none."""
    if isinstance(value, list) and value and str(value[-1]).startswith('{"'):
        value = [*value[:-1], json.loads(value[-1])]
    return json.dumps(value, sort_keys=True)


def masked(text: str, run: Path, folder: Path) -> str:
    """A text without what differs from run to run: times, the run's folder, numbers of objects."""
    text = text.replace(str(folder), "FACTS").replace(str(run), "RUN").replace(run.name, "RUN-ID")
    text = re.sub(r"\d{4}-\d\d-\d\d[-T ]\d\d[.:-]\d\d[.:-]\d\d[.,-]\d+Z?", "TIME", text)
    text = re.sub(r"\[\d\d/\d\d/\d\d \d\d:\d\d:\d\d\]| {19}(?= [A-Z])", "[           TIME           ]", text)
    text = re.sub(r"\d+(\.\d+)? (s|sec|seconds)\b", "N s", text)
    return re.sub(r" at 0x[0-9a-f]+|pipe:\[\d+\]|_MLFLOW_TELEMETRY_SESSION_ID\W+\w+", "…", text)


def content(path: Path) -> Any:
    """The bytes of an artifact; pictures and pickles may differ in what is no data."""
    if path.is_dir():
        return {str(p.relative_to(path)).count("/"): p.name for p in sorted(path.rglob("*")) if p.is_file()}
    return path.read_bytes() if path.suffix in (".csv", ".json", ".md", ".html", ".txt") else path.suffix


@pytest.mark.parametrize("what", ["facts", "logs", "steps", "outputs", "said"])
def test_a_step_cannot_tell_the_difference(runs: dict[str, dict[str, Any]], what: str) -> None:
    assert (runs["process"]["preloaded"], runs["fork"]["preloaded"]) == (False, True)
    forks, processes = dict(runs["fork"][what]), dict(runs["process"][what])
    assert {k: (v, forks.get(k)) for k, v in processes.items() if forks.get(k) != v} == {}
    assert forks.keys() == processes.keys()


def test_no_two_steps_draw_the_same_random_numbers(runs: dict[str, dict[str, Any]]) -> None:
    drawn = [number for run in runs.values() for number in run["drawn"]]
    assert len(set(drawn)) == len(drawn) == 2 * 2 * 10
