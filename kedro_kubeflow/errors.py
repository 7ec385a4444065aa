"""Everything that can go wrong for a reason a user can mend.

Each error says *what* is wrong, *where* (a file and key, a node, a dataset, a URL) and the *cure*; the CLI and the
runtime print that and exit with the error's own code. Anything else that is raised is a defect of ours and keeps its
traceback.

    KedroKubeflowError            1
    ├── ProjectError              2   the project cannot be opened, or lacks what was asked for
    │   └── ParameterError        2   a parameter that does not exist, does not parse or cannot travel
    ├── ConfigError               2   kubeflow.yml is missing, malformed or refused
    ├── CompileError              2   the pipeline cannot become a KFP pipeline
    │   ├── NameClash             2   two Kedro names would become one KFP name
    │   └── CycleError            2   steps would wait for each other
    ├── DependencyError           3   an optional package is missing, or a version is not supported
    ├── ImageError                1   the image cannot be built or pushed
    ├── StepError                 1   a step failed in the pod
    ├── RunFailed                 1   the pipeline run ended, and not with success
    ├── TrackingError             5   MLflow cannot be reached or refuses
    ├── AuthError                 4   credentials are missing, refused or expired
    └── ServerError               6   the Kubeflow Pipelines API (or Vertex AI) cannot be reached or refuses
        └── WaitTimeout           7   the run did not end within the time that was given
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class KedroKubeflowError(Exception):
    """The root: catch it to catch everything that this package raises on purpose."""

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, cure: str | None = None) -> None:
        super().__init__(what)
        self.what, self.where, self.cure = what, where, cure

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.cure:
            lines.append(f"  cure:  {self.cure}")
        return "\n".join(lines)


class ProjectError(KedroKubeflowError):
    """The Kedro project cannot be opened, or lacks what was asked for."""

    exit_code = 2


class ParameterError(ProjectError):
    """A Kedro parameter does not exist, does not parse or cannot travel."""


class ConfigError(KedroKubeflowError):
    """kubeflow.yml is missing, malformed or refused."""

    exit_code = 2


class CompileError(KedroKubeflowError):
    """The Kedro pipeline cannot become a KFP pipeline."""

    exit_code = 2


class NameClash(CompileError):
    """Two Kedro names would become one KFP name."""


class CycleError(CompileError):
    """Steps would wait for each other."""


class DependencyError(KedroKubeflowError):
    """An optional package is missing, or its version is not supported."""

    exit_code = 3


class ImageError(KedroKubeflowError):
    """The image cannot be built or pushed."""


class StepError(KedroKubeflowError):
    """A step failed in the pod."""


class RunFailed(KedroKubeflowError):
    """The pipeline run ended, and not with success."""


class AuthError(KedroKubeflowError):
    """Credentials are missing, refused or expired."""

    exit_code = 4


class TrackingError(KedroKubeflowError):
    """MLflow cannot be reached or refuses."""

    exit_code = 5


class ServerError(KedroKubeflowError):
    """The Kubeflow Pipelines API (or Vertex AI) cannot be reached or refuses."""

    exit_code = 6


class WaitTimeout(ServerError):
    """The run did not end within the time that was given."""

    exit_code = 7


def chain_of(error: BaseException) -> list[BaseException]:
    """An error, what it came from, and so on to the root: what is said last is what is to be mended."""
    found: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and seen not in found:
        found.append(seen)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return found


def described(error: BaseException) -> str:
    """An error in one line, down to its root: kind and text, the members of a group, and what it was raised from."""
    line, cause = _line(error), error.__cause__
    seen = [error]
    while cause is not None and cause not in seen:
        # Who wraps an error often repeats its text.
        if (_text(cause) or type(cause).__name__) not in line:
            line += f", because of {_line(cause)}"
        seen.append(cause)
        cause = cause.__cause__
    return line


def _line(error: BaseException) -> str:
    members = getattr(error, "exceptions", None)
    if isinstance(members, tuple) and members and all(isinstance(one, BaseException) for one in members):
        most = 5
        named = "; ".join(described(one) for one in members[:most]) + ("; …" if len(members) > most else "")
        return f"{type(error).__name__}: {_text(error)}: {named}"
    text = _text(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())
    except Exception:
        return ""  # An error's own code may fail too.


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the nearest known names, or the list of them where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(repr(n) for n in near) + "?"
    return "Known: " + (", ".join(repr(n) for n in names[:20]) or "none") + (", …" if len(names) > 20 else "")
