"""What a project's requirements name, in whichever files they stand: packages, and the extras that are asked for with them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kedro_kubeflow.project.required.code import of_setup_cfg, of_setup_py
from kedro_kubeflow.project.required.conda import of_environment
from kedro_kubeflow.project.required.lines import constraints_of, of_requirements
from kedro_kubeflow.project.required.locks import of_lock
from kedro_kubeflow.project.required.name import normal
from kedro_kubeflow.project.required.tables import of_toml, read_toml

__all__ = ["normal", "read_toml", "required"]

_LISTS = tuple(f"{place}{kind}" for place in ("", "src/") for kind in ("requirements*.txt", "requirements*.in"))
# File patterns, and what reads such a file.
_READERS = (
    ((*_LISTS, "requirements/*.txt", "requirements/*.in", "requirements*.lock"), of_requirements),
    (("environment*.y*ml", "conda.y*ml"), of_environment),
    (("setup.py", "src/setup.py"), of_setup_py),
    (("setup.cfg", "src/setup.cfg"), of_setup_cfg),
    (("uv.lock", "pylock*.toml", "poetry.lock", "Pipfile.lock", "pixi.lock", "conda-lock.y*ml", "pdm.lock"), of_lock),
    (("pyproject.toml", "Pipfile", "pixi.toml"), of_toml),
)


def required(project: Path) -> tuple[dict[str, frozenset[str]], list[str]]:
    """Package, in its normal form → its extras; and the files that were looked at.

    The project's own name is none of them.
    """
    found: dict[str, frozenset[str]] = {}
    files: list[str] = []
    for patterns, read in _READERS:
        for file in _files(project, patterns):
            files.append(file.relative_to(project).as_posix())
            for name, extras in read(file):
                found[name] = found.get(name, frozenset()) | extras
    return found, files


def _files(project: Path, patterns: Iterable[str]) -> list[Path]:
    found = {file for pattern in patterns for file in project.glob(pattern) if file.is_file()}
    # What constrains versions installs nothing.
    constraints = {one for file in found for one in constraints_of(file)}
    return sorted(found - constraints)
