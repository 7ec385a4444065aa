"""Steps as forks of a process that has imported their libraries: what goes wrong with a library, the server or a step."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kedro_kubeflow.targets.local import processes
from kedro_kubeflow.targets.local.preload import Learned
from kedro_kubeflow.targets.local.processes import Ended, Forks, NewProcesses, Start, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="no safe fork on this platform")

# What a step sees of itself; libraries that it imports are in the list of what was there before.
STEP = """
import os, sys, time
known = "quiet_library" in sys.modules
import quiet_library
print("LIBRARY WAS THERE" if known else "LIBRARY IS NEW", flush=True)
word = sys.argv[1] if len(sys.argv) > 1 else ""
if word == "sleep":
    print("STARTED", os.getpid(), os.getppid(), flush=True)
    time.sleep(1.5)
    print("WOKE", flush=True)
elif word == "kill":
    os.kill(os.getpid(), 9)
elif word:
    sys.exit(int(word))
"""
LIBRARIES = {
    "quiet_library": "",
    "thread_library": "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    "connected_library": "import socket\nheld = socket.socketpair()",
    "loud_library": "import warnings\nwarnings.warn('I am old')",
    "broken_library": "raise RuntimeError('no such card')",
    "waiting_library": "import time\ntime.sleep(600)",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = tmp_path / "lib" / "site-packages"
    site.mkdir(parents=True)
    for name, code in LIBRARIES.items():
        (site / f"{name}.py").write_text(code)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "step.py").write_text(STEP)
    monkeypatch.setenv("PYTHONPATH", str(site))
    return tmp_path / "project"


@pytest.fixture
def started(project: Path) -> Iterator[Callable[..., Forks]]:
    """Forks that import libraries; their server is gone afterwards."""
    made = []

    def start(*modules: str) -> Forks:
        made.append(Forks(os.environ, project, Learned(project / "preload.json")))
        made[-1].preload(preload=["quiet_library", *modules])
        return made[-1]

    yield start
    for forks in made:
        forks.close()


def step(project: Path, *words: str, **more: object) -> Start:
    environ = {**os.environ, **more.pop("environ", {})}  # type: ignore[dict-item]
    return Start([sys.executable, "-m", "step", *words], project, environ, project / "log", **more)  # type: ignore[arg-type]


def log(project: Path) -> str:
    return (project / "log").read_text()


def test_a_fork_has_the_libraries_and_ends_as_a_process_does(project: Path, started: Callable[..., Forks]) -> None:
    forks = started()
    assert [forks.run(step(project, *words)).code for words in ((), ("3",), ("kill",))] == [0, 3, -signal.SIGKILL]
    assert log(project).count("LIBRARY WAS THERE") == 3


def test_what_a_step_imports_by_itself_is_told(project: Path, started: Callable[..., Forks]) -> None:
    forks = Forks(os.environ, project, Learned(project / "preload.json"))
    forks.run(step(project, imported=project / "seen.json"))
    forks.close()
    assert json.loads((project / "seen.json").read_text()) == ["quiet_library"]


@pytest.mark.parametrize(
    ("library", "why"),
    [
        ("thread_library", "it starts a thread"),
        ("connected_library", "it holds a connection"),
        ("loud_library", "it prints or warns"),
        ("broken_library", "it cannot be imported: RuntimeError: no such card"),
    ],
)
def test_a_library_that_no_fork_may_inherit_is_left_out(
    project: Path, started: Callable[..., Forks], library: str, why: str
) -> None:
    forks = started(library)
    assert forks.run(step(project)).code == 0
    assert log(project).startswith("LIBRARY IS NEW"), "a process of its own goes on"
    assert forks.run(step(project)).code == 0
    assert log(project).endswith("LIBRARY WAS THERE\n"), "a server without that library is there"
    learned = Learned(project / "preload.json")
    assert not learned.unfit, "written at the run's end"
    assert forks.unfit[library].startswith(why)


def test_a_library_that_never_ends_to_be_imported_hangs_nothing(
    project: Path, started: Callable[..., Forks], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "IMPORT_PATIENCE", 2.0)
    forks = started("waiting_library")
    since = time.monotonic()
    assert forks.run(step(project)).code == 0
    assert time.monotonic() - since < 30
    assert forks.unfit["waiting_library"] == "it takes too long to be imported"


def test_a_fork_that_stands_still_is_started_anew(
    project: Path, started: Callable[..., Forks], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "FORK_PATIENCE", 1.0)
    (Path(os.environ["PYTHONPATH"]) / "stuck_library.py").write_text(
        "import os, time\nos.register_at_fork(after_in_child=lambda: time.sleep(600))"
    )
    assert started("stuck_library").run(step(project)).code == 0
    assert log(project) == "LIBRARY IS NEW\n"


def run_beside(forks: Forks, start: Start) -> tuple[threading.Thread, list[Ended]]:
    ended: list[Ended] = []
    thread = threading.Thread(target=lambda: ended.append(forks.run(start)))
    thread.start()
    while not start.log.exists() or "STARTED" not in start.log.read_text():
        time.sleep(0.05)
    return thread, ended


def test_a_step_outlives_the_server_and_the_next_is_a_process_of_its_own(
    project: Path, started: Callable[..., Forks]
) -> None:
    forks = started()
    thread, ended = run_beside(forks, step(project, "sleep"))
    server = int(log(project).split("STARTED ")[1].split()[1])
    os.kill(server, signal.SIGKILL)
    thread.join(30)
    assert [e.code for e in ended] == [0]
    assert log(project).count("STARTED") == 1, "it has not been run twice"
    assert log(project).endswith("WOKE\n")
    assert forks.run(step(project, "5")).code == 5
    assert log(project).endswith("LIBRARY IS NEW\n")


def test_a_step_that_is_killed_says_so_though_the_server_is_gone(project: Path, started: Callable[..., Forks]) -> None:
    forks = started()
    thread, ended = run_beside(forks, step(project, "sleep"))
    own, server = map(int, log(project).split("STARTED ")[1].split()[:2])
    os.kill(server, signal.SIGKILL)
    time.sleep(0.3)
    os.kill(own, signal.SIGKILL)
    thread.join(30)
    assert [e.code for e in ended] == [-signal.SIGKILL]


def test_another_environment_is_another_process(project: Path, started: Callable[..., Forks]) -> None:
    """Libraries may have looked at theirs when they were imported."""
    forks = started()
    forks.run(step(project, environ={"OMP_NUM_THREADS": "1"}))
    assert log(project) == "LIBRARY IS NEW\n"
    forks.run(step(project, environ={"KEDRO_KUBEFLOW_ATTEMPT": "2"}))
    assert log(project).endswith("LIBRARY WAS THERE\n")


def test_new_processes_are_just_that(project: Path) -> None:
    assert NewProcesses().run(step(project, "4")).code == 4
    assert log(project) == "LIBRARY IS NEW\n"
