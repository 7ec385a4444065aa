"""The floors of the house: a room imports from floors below alone, no module stands in a circle, third parties stay at home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import kedro_kubeflow

PACKAGE = Path(kedro_kubeflow.__file__).parent
NAME = PACKAGE.name

FLOORS = [
    {"errors"},
    {"names", "parameters", "entries", "interpolation", "standard_output"},
    {"contract", "config", "request"},
    {"project", "auth"},
    {"plan", "tracking", "code", "image", "results", "scaffold"},
    {"compiler", "check", "runtime"},
    {"prepared", "hooks"},
    {"targets.base"},
    # Neighbours that do not know each other.
    {"targets.kubeflow", "targets.vertexai", "targets.local"},
    {"notebook"},
    {"cli", "api"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Not code of a floor: the starter's templates and the list that names them.
OUTSIDE = {"__init__", "starters", "templates", "targets"}

HOMES = {
    "pydantic": {"config"},
    "kedro.pipeline": {"plan", "runtime"},
    "kedro.framework": {"project", "cli", "hooks", "runtime", "starters"},
    "kfp": {"targets"},
    "kubernetes": {"auth", "targets"},
    "mlflow": {"tracking", "auth", "runtime"},
    "google.cloud.aiplatform": {"targets"},
    "google.cloud.aiplatform_v1": {"targets"},
    "google.api_core": {"targets"},
    "google.auth": {"auth"},
    "google.oauth2": {"auth"},
    "authlib": {"auth"},
    "keyring": {"auth"},
    "click": {"cli"},
    "rich": {"cli"},
}


def modules() -> list[Path]:
    files = (p for p in PACKAGE.rglob("*.py") if not {"starters", "templates"} & set(p.relative_to(PACKAGE).parts[:-1]))
    return sorted(files)


def room_of(path: Path) -> str:
    return room_in(name_of(path))


def room_in(name: str) -> str:
    """The room of a module; each target has one of its own."""
    parts = name.split(".")[1:] or ["__init__"]
    return ".".join(parts[:2]) if parts[0] == "targets" else parts[0]


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, at any depth, lazily or not."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_from_below(path: Path) -> None:
    room = room_of(path)
    if room in OUTSIDE:
        return
    assert room in FLOOR_OF, f"{room} stands on no floor: see FLOORS"
    for name in imported(path):
        if not name.startswith(NAME + "."):
            continue
        target = room_in(name)
        if target in {room, "__version__"}:
            continue
        assert target in FLOOR_OF, f"{path.name} imports {name}, which stands on no floor"
        assert FLOOR_OF[target] < FLOOR_OF[room], f"{room} (floor {FLOOR_OF[room]}) imports {name}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Not in one room either, and not by an import inside a function: what needs that has two things in one file."""
    names = {name_of(path): path for path in modules()}
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        found = {n if n in names else n.rpartition(".")[0] for n in imported(path) if n.startswith(NAME)}
        graph[name] = (found & names.keys()) - {name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(reversed(error.args[1]))) from None


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_third_parties_stay_at_home(path: Path) -> None:
    room = room_of(path)
    if room in OUTSIDE:
        return
    for name in imported(path):
        for package, homes in HOMES.items():
            if (name == package or name.startswith(package + ".")) and not name.startswith(NAME):
                assert room.partition(".")[0] in homes, f"{room} imports {name}; its home is {sorted(homes)}"


def test_there_is_no_room_for_odds_and_ends() -> None:
    assert not [p for p in modules() if p.stem in {"utils", "util", "helpers", "common", "misc"}]


@pytest.mark.parametrize("path", [p for p in modules() if room_of(p) == "cli"], ids=lambda p: p.name)
def test_commands_know_no_target(path: Path) -> None:
    """They know the seam, so that a target of somebody else's is as good as ours."""
    assert not [name for name in imported(path) if room_in(name).startswith("targets.") and "base" not in name]
