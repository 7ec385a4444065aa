"""Which files of a project go along with a run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.git_files import git_files
from kedro_kubeflow.project.requirements import requirement_files

# Stays here whatever is asked for. The patterns are those of .gitignore.
_NEVER = (
    "**/conf/local/", "**/*credentials*", ".env", ".env.*", "*.env", ".envrc", ".git", ".kubeflow/", "__pycache__/", "*.pyc",
    ".ipynb_checkpoints/", ".venv/", ".netrc", ".pypirc", ".ssh/", ".aws/", "id_rsa*", "id_ed25519*",
)  # fmt: skip
# Goes along only if it is asked for by name.
_ASKED_FOR = ("/data/", "/notebooks/", "*.ipynb")


@dataclass(frozen=True, kw_only=True)
class CodeRules:
    """What belongs to a project's code.

    Attributes:
        project: its folder.
        source: the folder that holds its package, or the package itself.
        conf_source: its configuration.
        include: further files, as patterns of ``.gitignore``.
        exclude: files that stay, likewise.
    """

    project: Path
    source: Path
    conf_source: Path
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """The files, relative to the project, sorted.

        Raises:
            ConfigError: one of them is a link that leads out of the project, or a pattern of ``include`` fits no file.
        """
        here = self._in_git()
        wanted = [n for n in here if self._belongs(n)]
        included = GitIgnoreSpec.from_lines(self.include)
        asked = [n for n in here if included.match_file(n)]
        self._check_include(here)
        barred = GitIgnoreSpec.from_lines(_NEVER)
        local = self._relative(self.conf_source / "local")
        excluded = GitIgnoreSpec.from_lines(self.exclude)
        usual = GitIgnoreSpec.from_lines(_ASKED_FOR)
        found = {n for n in wanted if not usual.match_file(n)} | set(asked)
        kept = [n for n in found if not barred.match_file(n) and not excluded.match_file(n)]
        names = sorted(n for n in kept if local is None or not PurePosixPath(n).is_relative_to(local))
        for name in names:
            self._check_link(name)
        return names

    def _in_git(self) -> list[str]:
        """Every file that git has or would take; without git, by the project's own ``.gitignore``."""
        known = git_files(self.project)
        if known is not None:
            return sorted(n for n in known if (self.project / n).is_file())
        file = self.project / ".gitignore"
        ignored = GitIgnoreSpec.from_lines(file.read_text("utf-8").splitlines() if file.is_file() else ())
        return sorted(n for n in _walk(self.project) if not ignored.match_file(n))

    def _belongs(self, name: str) -> bool:
        path = PurePosixPath(name)
        folders = [f for f in (self._relative(self.source), self._relative(self.conf_source)) if f is not None]
        if name == "pyproject.toml" or name in requirement_files(self.project):
            return True
        return any(path.is_relative_to(folder) for folder in folders)

    def _relative(self, path: Path) -> PurePosixPath | None:
        """A path inside of the project; None for the project itself and for what lies elsewhere."""
        if not path.is_relative_to(self.project) or path == self.project:
            return None
        return PurePosixPath(path.relative_to(self.project).as_posix())

    def _check_include(self, names: Iterable[str]) -> None:
        there = list(names)
        for pattern in self.include:
            if not any(GitIgnoreSpec.from_lines([pattern]).match_file(n) for n in there):
                raise ConfigError(
                    f"{pattern!r} fits no file that could go along: none is there, or git ignores it",
                    where="kubeflow.yml, code.include",
                    cure="mend the pattern, or take it out",
                )

    def _check_link(self, name: str) -> None:
        real = (self.project / name).resolve()
        if not real.is_relative_to(self.project.resolve()):
            raise ConfigError(
                f"{name!r} leads out of the project (to {real}), and the code of a run is made of the project's own files",
                where=str(self.project / name),
                cure="put the file in its place, or name it in `code.exclude`",
            )


def _walk(root: Path) -> Iterable[str]:
    for folder, inner, files in os.walk(root):
        inner[:] = [n for n in inner if n != ".git" and not (Path(folder) / n / "pyvenv.cfg").is_file()]
        for name in files:
            yield (Path(folder) / name).relative_to(root).as_posix()
