"""What an image that is built from the project's folder would hold.

git's and Docker's ignore rules keep files out, and so do the custom that ``conf/local`` is one person's own; of ``data/`` stays
what no step makes, also where git ignores it, as it does in Kedro's template.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from kedro_kubeflow.project.dockerignore import DockerIgnore
from kedro_kubeflow.project.git_files import git_files

_DATA = "data"
# Never part of an image, whatever the rules say: version control, caches, what local runs leave behind.
_NOT_CODE = frozenset(
    {".git", ".kubeflow", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox"}
)
_ENVIRONMENT = "pyvenv.cfg"


@dataclass(frozen=True)
class ImageFiles:
    """The rules for one project.

    Attributes:
        project: its folder.
        left_out: paths, relative to it, that are there and not in an image: what steps make, ``conf/local``.
        kept: raw data, which is there whatever git says.
    """

    project: Path
    left_out: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """The files, relative to the project, sorted."""
        return sorted(name for name in _walk(self.project) if self._is_held(name))

    def copy_to(self, folder: Path) -> None:
        """Copy them; links stay links, to where they lead now."""
        for name in self.names():
            source, target = self.project / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                target.symlink_to(source.resolve())
            else:
                shutil.copy2(source, target)

    def _is_held(self, name: str) -> bool:
        kept = [path for path in self.kept if _is_inside(name, path)]
        # What is read first may lie in a folder that is written later.
        left_out = (p for p in self.left_out if _is_inside(name, p) and not any(_is_inside(k, p) for k in kept))
        if any(left_out) or self._docker.excludes(name):
            return False
        return bool(kept) or _is_inside(name, _DATA) or self._in_git is None or name in self._in_git

    @cached_property
    def _docker(self) -> DockerIgnore:
        return DockerIgnore.read(self.project)

    @cached_property
    def _in_git(self) -> frozenset[str] | None:
        return git_files(self.project)


def _walk(root: Path) -> Iterator[str]:
    for folder, inner, files in os.walk(root):
        here = Path(folder)
        inner[:] = [n for n in inner if n not in _NOT_CODE and not (here / n / _ENVIRONMENT).is_file()]
        links = [n for n in inner if (here / n).is_symlink()]
        for name in (*links, *files):
            if not name.endswith(".pyc"):
                yield (here / name).relative_to(root).as_posix()


def _is_inside(name: str, path: str) -> bool:
    return PurePosixPath(name).is_relative_to(path)
