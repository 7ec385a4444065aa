"""Results of cached steps on this machine, kept apart by what an image's tag stands for on a cluster: code and configuration."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from kedro_kubeflow.targets.local.history import home

_KEPT = 5


def cache_folder(project: Path, key: str) -> Path:
    """Where the results for one state of the project are kept; of older states, the latest few stay."""
    root = home(project) / "cache"
    folder = root / key
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    others = sorted((p for p in root.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in others[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def code_key(folders: Iterable[Path], data: Iterable[Path]) -> str:
    """A digest of what steps run on beside their inputs.

    Args:
        folders: code and configuration, of which every byte counts.
        data: raw data, of which size and time of change count.
    """
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted({file for folder in folders for file in _files(folder)}):
        digest.update(f"\0{file}\0".encode())
        digest.update(file.read_bytes())
    for file in sorted({file for folder in data for file in _files(folder)}):
        facts = file.stat()
        digest.update(f"\0{file}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, inner, files in os.walk(path):
        inner[:] = [name for name in inner if name != "__pycache__" and not name.startswith(".")]
        yield from (Path(folder, name) for name in files if not name.endswith(".pyc"))
