"""The run's volume in a step: where it is, how it is filled, and what of it is stored as artifacts."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.contract import VOLUME_ENV, WORKSPACE_INPUT, StepCall
from kedro_kubeflow.entries import local_path, on_volume, repoint
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.session import open_for

_log = logging.getLogger(__name__)


class Volume:
    """The volume as a step sees it.

    Attributes:
        root: where it is mounted.
        folder: the project's folder that it stands for, relative to the project and to the root.
    """

    def __init__(self, root: Path, folder: str) -> None:
        self.root, self.folder = root, folder

    @classmethod
    def of(cls, call: StepCall, executor: Executor) -> Volume | None:
        """A step's volume; None where it has none."""
        folder = call.settings.get("volume")
        if folder is None:
            return None
        return cls(Path(os.environ.get(VOLUME_ENV) or str(executor.parameters[WORKSPACE_INPUT])), str(folder))

    def entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """A catalog entry, its path on the volume if it is one of the shared folder's."""
        path = local_path(entry)
        shared = on_volume(path, self.folder) if path else None
        return repoint(entry, (self.root / shared).as_posix()) if shared else dict(entry)


def fill(call: StepCall, executor: Executor) -> None:
    """Copy the project's folder onto the volume; what lies there already is overwritten, so that a retry is no harm.

    Raises:
        StepError: it cannot be copied.
    """
    volume = Volume.of(call, executor)
    if volume is None:
        raise StepError(
            "No volume is mounted",
            cure="compile the pipeline again, with the version of kedro-kubeflow that the image has",
        )
    source = open_for(call, executor).path / volume.folder
    target = volume.root / volume.folder
    try:
        target.mkdir(parents=True, exist_ok=True)
        count = copy_tree(source, target) if source.is_dir() else 0
        if "owner" in call.settings:
            give_away(volume.root, call.settings["owner"])
    except OSError as error:
        raise StepError(
            f"The volume cannot be filled: {error}", where=_whose(volume.root), cure=_cure(error, volume.root)
        ) from error
    _log.info("%s files of %s are on the volume", count, volume.folder)
    executor.write()


def give_away(root: Path, owner: int | None) -> None:
    """Let a user write everywhere below a folder of root's; everybody, where none is named or root has not the right to.

    Kubeflow Pipelines takes all capabilities from a pod, also that to give files away: what is left to root is what it owns.
    """
    for folder, _, files in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            if path.is_symlink() or _given(path, owner):
                continue
            path.chmod(path.stat().st_mode | (0o777 if path.is_dir() else 0o666))


def _given(path: Path, owner: int | None) -> bool:
    """Whether a user now has a file or a folder."""
    if owner is None:
        return False
    try:
        os.chown(path, owner, -1)
    except PermissionError:
        return False
    return True


def _whose(root: Path) -> str:
    """Who may write to the volume, and who asks."""
    if not (root.exists() and hasattr(os, "getuid")):
        return str(root)
    found = root.stat()
    return f"{root}, of user {found.st_uid} and group {found.st_gid} (mode {found.st_mode & 0o777:o}); this is user {os.getuid()}"


def _cure(error: OSError, root: Path) -> str:
    if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "raise run_config.volume.size if the volume is full"
    if _is_root() and error.filename and not Path(error.filename).is_relative_to(root):
        return "root has no privileges in Kubeflow's pods: let everybody read the image's files (chmod -R a+rX)"
    if root.exists() and root.stat().st_uid == 0 and not _is_root():
        return (
            "the disk belongs to root: set run_config.volume.fill_as_root, and owner to the number of the image's user, if the "
            "cluster lets images run as root; else take a storage class whose volumes everybody may write (NFS, or one with "
            "`uid` and `gid` among its mountOptions), or do without `volume`"
        )
    return "set run_config.volume.owner to the number of a user who may write there"


def _is_root() -> bool:
    return hasattr(os, "getuid") and os.getuid() == 0


def copy_tree(source: Path, target: Path) -> int:
    """Copy a file or a folder's content; gives the number of files.

    Content alone: owners and modes are the new place's own, which many storage classes let nobody change.
    """
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return 1
    count = 0
    for folder, _, files in os.walk(source, followlinks=True):
        there = target / Path(folder).relative_to(source)
        there.mkdir(parents=True, exist_ok=True)
        for name in files:
            shutil.copyfile(Path(folder, name), there / name)
        count += len(files)
    return count
