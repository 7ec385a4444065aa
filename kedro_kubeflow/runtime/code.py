"""Work with the code that came with the run, in place of the image's.

The step gets a folder of its own, made from the archive; what the archive does not speak of, such as raw data, is linked to
where the image has it. Of the folders that hold the code, the archive alone counts: what was deleted there is gone here.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from kedro_kubeflow.code.archive import unpack
from kedro_kubeflow.contract import LOCAL_ENV
from kedro_kubeflow.project.requirements import requirement_digests

_SKIPPED = frozenset({".git", ".kubeflow", "__pycache__"})


_changed: list[str] = []
_images: list[Path] = []


def changed_in_image() -> list[str]:
    """The files of requirements that are others in the image than in the code that this process runs."""
    return list(_changed)


@contextmanager
def project_from(content: bytes, digest: str | None = None) -> Iterator[dict[str, Any]]:
    """Work in a fresh folder made from packed code, until the end; gives the archive's manifest.

    Must come before anything of the project is imported.

    Args:
        content: the archive.
        digest: which one it must be.

    Raises:
        StepError: the archive is refused.
    """
    image = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="kedro-code-", ignore_cleanup_errors=True, dir=_parent()) as made:
        folder = Path(made).resolve()
        manifest = unpack(content, folder, digest=digest)
        _link_rest(image, folder, manifest.get("folders") or ())
        _changed[:] = changed_requirements(manifest, image)
        _warn(_changed)
        _move(image, folder)
        _images.append(image)
        try:
            yield manifest
        finally:
            _images.pop()
            # The folder cannot be taken away under its own feet.
            _move(folder, image)


def image_folder() -> Path | None:
    """Where the image's own files are, while this process works in a folder of code that travelled."""
    return _images[-1] if _images else None


def changed_requirements(manifest: Mapping[str, Any], image: Path) -> list[str]:
    """The files of requirements that are others in the image than where the code comes from; those on one side alone are not."""
    there = requirement_digests(image)
    return [name for name, digest in (manifest.get("requirements") or {}).items() if there.get(name, digest) != digest]


def requirements_warning(changed: Iterable[str]) -> str:
    """What is said of them."""
    return (
        f"The image was built with other requirements than the code needs ({', '.join(changed)} differs): "
        "build the image anew if something is missing"
    )


def _warn(changed: list[str]) -> None:
    if changed:
        print(f"kedro-kubeflow: {requirements_warning(changed)}", file=sys.stderr, flush=True)


def _parent() -> str | None:
    """On this machine the folder goes where the run is, and with it."""
    return os.environ.get(LOCAL_ENV)


def _link_rest(image: Path, folder: Path, code: Iterable[str]) -> None:
    own = {PurePosixPath(name) for name in code}
    waiting = [PurePosixPath()]
    while waiting:
        here = waiting.pop()
        is_code = any(here.is_relative_to(name) for name in own)
        for entry in sorted((image / here).iterdir()) if (image / here).is_dir() else ():
            inner, target = here / entry.name, folder / here / entry.name
            if entry.name in _SKIPPED:
                continue
            if target.is_dir() and entry.is_dir() and not entry.is_symlink():
                waiting.append(inner)
            elif not target.exists() and inner not in own and (not is_code or _stays_in_image(entry.name)):
                target.symlink_to(entry.resolve())


def _stays_in_image(name: str) -> bool:
    """What never travels, and is the image's own where it holds it."""
    return name == "local" or "credentials" in name


def _move(here: Path, there: Path) -> None:
    """Change the working folder and what points into the old one: the places of modules, here and in processes to come."""
    os.chdir(there)
    sys.path[:] = [_moved(entry, here, there) for entry in sys.path]
    for variable in ("PYTHONPATH", "PWD"):
        if value := os.environ.get(variable):
            os.environ[variable] = os.pathsep.join(_moved(entry, here, there) for entry in value.split(os.pathsep))


def _moved(entry: str, here: Path, there: Path) -> str:
    path = Path(entry)
    return str(there / path.relative_to(here)) if entry and path.is_absolute() and path.is_relative_to(here) else entry
