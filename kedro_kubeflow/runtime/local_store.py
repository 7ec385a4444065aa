"""A tracking store in a file of the project, as on one machine it may be, for a step that works elsewhere.

Steps that share nothing, and those of code that travelled, work in folders which are gone afterwards. The store is no part of
what a step is given, but a server that happens to be a file: all use the one in the project's folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kedro_kubeflow.contract import HOME_ENV
from kedro_kubeflow.runtime.code import image_folder


def keep_store(uri: str | None) -> None:
    """Let a store at a relative path be the project's own.

    Args:
        uri: MLflow's address (https://mlflow.org/docs/latest/ml/tracking/backend-stores/).
    """
    path, home = _relative_path(uri or ""), _home()
    if path is None or home is None or (path.exists() and HOME_ENV not in os.environ):
        return
    _link(path, home / path, is_file=_is_database(uri))
    if _is_database(uri):
        _open_in(home, str(uri))


def _home() -> Path | None:
    """The folder of the project, where this process does not work in it."""
    named = os.environ.get(HOME_ENV)
    return Path(named) if named else image_folder()


def _link(path: Path, target: Path, *, is_file: bool) -> None:
    if not is_file:
        target.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path)
    # It may not be there yet: whoever writes it first makes it at the link's end.
    path.symlink_to(target)


def _remove(path: Path) -> None:
    """A copy of the store that came with the project's files is of no use to anybody."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _open_in(home: Path, uri: str) -> None:
    """Have MLflow open the database where artifacts are to lie: it keeps them in the working folder of that moment."""
    from mlflow import MlflowClient

    with _working_in(home):
        MlflowClient(uri).search_experiments(max_results=1)


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _is_database(uri: str | None) -> bool:
    return (uri or "").startswith("sqlite:")


def _relative_path(uri: str) -> Path | None:
    plain = uri.removeprefix("sqlite:///").removeprefix("file:")
    if "://" in plain or plain.startswith(("/", "sqlite:", "databricks")) or not plain:
        return None
    return Path(plain.partition("?")[0])
