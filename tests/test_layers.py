"""The house's floors: a room imports only from floors below it, nothing sideways, and third parties stay at home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import kedro_kubeflow

PACKAGE = Path(kedro_kubeflow.__file__).parent
NAME = PACKAGE.name

FLOORS = [
    {"errors"},
    {"names", "parameters", "entries"},
    {"contract", "config", "request"},
    {"auth"},
    {"project", "tracking", "plan", "compiler", "check", "scaffold", "targets", "code", "image", "results", "prepared"},
    {"runtime", "hooks"},
    {"cli", "api"},
]
# The house is being rebuilt: these look at each other until `plan` no longer compiles.
REBUILT = {
    "project",
    "plan",
    "compiler",
    "check",
    "scaffold",
    "targets",
    "code",
    "image",
    "results",
    "tracking",
    "prepared",
}
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Not code of a floor: the starter's templates and the list that names them.
OUTSIDE = {"__init__", "starters", "templates"}

HOMES = {
    "pydantic": {"config"},
    "kedro.pipeline": {"plan", "runtime"},
    "kedro.framework": {"project", "cli", "hooks", "runtime", "starters"},
    "kfp": {"compiler", "targets"},
    "kubernetes": {"auth", "targets"},
    "mlflow": {"tracking", "auth", "runtime"},
    "google.cloud.aiplatform": {"targets"},
    "google.cloud.aiplatform_v1": {"targets"},
    "google.api_core": {"targets"},
    "google.auth": {"auth"},
    "google.oauth2": {"auth"},
    "click": {"cli"},
    "rich": {"cli"},
}


def modules() -> list[Path]:
    files = (p for p in PACKAGE.rglob("*.py") if not {"starters", "templates"} & set(p.relative_to(PACKAGE).parts[:-1]))
    return sorted(files)


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth, lazily or not."""
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
        target = name.split(".")[1]
        if target in {room, "__version__"}:
            continue
        assert target in FLOOR_OF, f"{path.name} imports {name}, which stands on no floor"
        if {room, target} <= REBUILT:
            continue
        assert FLOOR_OF[target] < FLOOR_OF[room], f"{room} (floor {FLOOR_OF[room]}) imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_third_parties_stay_at_home(path: Path) -> None:
    room = room_of(path)
    if room in OUTSIDE:
        return
    for name in imported(path):
        for package, homes in HOMES.items():
            if (name == package or name.startswith(package + ".")) and not name.startswith(NAME):
                assert room in homes, f"{room} imports {name}; its home is {sorted(homes)}"


def test_there_is_no_room_for_odds_and_ends() -> None:
    assert not [p for p in modules() if p.stem in {"utils", "util", "helpers", "common", "misc"}]
