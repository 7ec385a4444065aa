"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from kedro_kubeflow.errors import ProjectError


def write_text(path: Path, text: str) -> None:
    """Put a text into a file; what stood there stays if that fails.

    Raises:
        ProjectError: the file cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe is written to; a file in its place would be one less for everybody.
            path.write_text(text, "utf-8")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            # mkstemp makes files that only their owner reads; this one is an ordinary file.
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ProjectError(f"The file cannot be written: {error.strerror or error}", where=str(path)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
