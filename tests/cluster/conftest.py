"""A server of one's own: found by the environment; what tests make on it is removed at the end.

Runs cost minutes each, most of them waiting. So a test says with `@pytest.mark.run(...)` which run it is about, and all
of these are started before the first test looks.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cluster.hooks import Hooks
from cluster.mlflow_runs import MlflowRuns
from cluster.quickstart import Quickstart, make_quickstart
from cluster.server import Place, Server

# Read here: tests/conftest.py takes these variables away from every test.
PLACE = Place.of(os.environ)

NO_KUBECTL = "there is no kubectl that may delete pods of this server"


@dataclass
class Started:
    """A run, and the project that it was started from."""

    quickstart: Quickstart
    id: str
    _end: dict[str, Any] = field(default_factory=dict)

    def end(self) -> dict[str, Any]:
        """Its status at its end."""
        self._end = self._end or self.quickstart.until(self.id)
        return self._end

    def kubeflow(self, *words: str, **how: Any) -> Any:
        return self.quickstart.kubeflow(*words, **how)


@pytest.fixture(scope="session")
def place() -> Place:
    if PLACE is None:
        pytest.skip("KFP_HOST names no server")
    return PLACE


@pytest.fixture(scope="session")
def server(place: Place) -> Server:
    return Server(place)


@pytest.fixture(scope="session")
def names(server: Server) -> Iterator[list[str]]:
    """What pipelines and experiments of this session are called; they are gone afterwards."""
    names: list[str] = []
    yield names
    for name in names:
        server.remove(name)


@pytest.fixture(scope="session")
def hooks(place: Place) -> Iterator[Hooks | None]:
    """A receiver of messages, where pods can reach this machine."""
    if place.hooks is None:
        yield None
        return
    with Hooks.at(place.hooks) as hooks:
        yield hooks


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_quickstart(tmp_path_factory.mktemp("quickstart"))


@pytest.fixture(scope="session")
def copy(
    original: Path, place: Place, names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Quickstart]:
    """A copy of the project with a name and a `run_config` of its own."""
    session = secrets.token_hex(3)

    def make(**run_config: Any) -> Quickstart:
        folder = tmp_path_factory.mktemp("project") / "penguins"
        names.append(f"kedro-kubeflow-test-{session}-{len(names)}")
        return Quickstart.copy(original, folder, place, names[-1], run_config)

    return make


@pytest.fixture(scope="session")
def started(
    request: pytest.FixtureRequest, copy: Callable[..., Quickstart], hooks: Hooks | None, place: Place
) -> Mapping[str, Started]:
    """The runs that the tests of this session are about, by the tests' names; all under way."""
    made = {}
    for item in request.session.items:
        mark = item.get_closest_marker("run")
        if mark is None or _lacking(mark, hooks, place):
            continue
        how = dict(mark.kwargs.get("run_config", {}))
        if mark.kwargs.get("hook"):
            how["notifications"] = [{"type": "webhook", "url_env": "RUN_HOOK"}]
            how["env"] = {"mlflow-end-run": {"RUN_HOOK": hooks.url(item.name) if hooks else ""}}
        made[item.name] = (copy(**how), mark.args)
    with ThreadPoolExecutor(4) as pool:
        begun = {test: pool.submit(quickstart.start, *words) for test, (quickstart, words) in made.items()}
    return {test: Started(made[test][0], run_id.result()) for test, run_id in begun.items()}


def _lacking(mark: pytest.Mark, hooks: Hooks | None, place: Place) -> str | None:
    """What a run needs and the server lacks."""
    if mark.kwargs.get("hook") and hooks is None:
        return "KFP_WEBHOOK_HOST names no address of this machine that pods reach"
    if mark.kwargs.get("kubectl") and not place.has_kubectl():
        return NO_KUBECTL
    if mark.kwargs.get("storage") and not place.has_storage_class():
        return "kubectl shows no default storage class"
    return None


@pytest.fixture
def run(request: pytest.FixtureRequest, started: Mapping[str, Started], hooks: Hooks | None, place: Place) -> Started:
    """The run that the test is about."""
    mark = request.node.get_closest_marker("run")
    lacking = _lacking(mark, hooks, place)
    if lacking:
        pytest.skip(lacking)
    return started[request.node.name]


@pytest.fixture(scope="session")
def mlflow_runs(place: Place) -> Iterator[MlflowRuns]:
    runs = MlflowRuns(place.mlflow_here)
    yield runs
    runs.remove()
