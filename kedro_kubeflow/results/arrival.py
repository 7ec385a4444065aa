"""A download gets its final name when all of it is there."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kedro_kubeflow.errors import ProjectError, ServerError


@contextmanager
def arriving(target: Path) -> Iterator[Path]:
    """A place to put a file or a folder; after the block it stands at ``target``, or nothing of it does.

    What stood there before is replaced in the end.

    Raises:
        ProjectError: the place cannot be written to, or nothing was put there.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}."))
    except OSError as error:
        raise ProjectError(f"Nothing can be written there: {error.strerror or error}", where=str(target)) from error
    try:
        place = folder / target.name
        yield place
        if not place.exists():
            raise ProjectError("The download has brought nothing", where=str(target))
        _replace(place, target, folder / "before")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(place: Path, target: Path, before: Path) -> None:
    if target.exists():
        target.rename(before)
    place.rename(target)


def unpack_folder(archive: Path, folder: Path) -> None:
    """Unpack a ``.tar.gz`` of a folder, as Kubeflow's UI server packs one.

    Raises:
        ServerError: it broke off, or holds what leads out of the folder.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ServerError(f"The folder did not arrive whole: {error}", cure="ask for it again") from error
