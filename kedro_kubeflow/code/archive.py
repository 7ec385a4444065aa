"""A tar that is the same for the same files, and that can be unpacked without harm.

The files' times and owners are left out, so that the digest tells the code alone. A manifest goes with them: the digests of the
files of requirements, for the image to be compared with.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import stat
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from kedro_kubeflow.errors import StepError

MANIFEST = ".kedro-kubeflow.json"
_PRESET = 9 | lzma.PRESET_EXTREME
# What an archive may become when it is unpacked: code is text, and a small file that grows beyond this is no code.
_MAX_UNPACKED = 256 * 2**20


@dataclass(frozen=True)
class Archive:
    """Packed code.

    Attributes:
        content: the tar, compressed with xz.
        digest: SHA-256 of what is in it, as hexadecimal text; the same files give the same digest.
        sizes: bytes of each file before compression, by name.
    """

    content: bytes
    digest: str
    sizes: Mapping[str, int] = field(default_factory=dict)


def pack(root: Path, names: list[str], manifest: Mapping[str, Any]) -> Archive:
    """Pack files of a folder.

    Args:
        names: the files, relative to the folder; links are followed.
        manifest: what is said of them; plain JSON.
    """
    contents = {name: (root / name).read_bytes() for name in sorted(names)}
    modes = {name: _mode(root / name) for name in contents}
    contents[MANIFEST] = json.dumps(manifest, sort_keys=True, indent=1).encode()
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), modes.get(name, 0o644)
            tar.addfile(member, io.BytesIO(content))
    digest = hashlib.sha256(plain.getvalue()).hexdigest()
    packed = lzma.compress(plain.getvalue(), preset=_PRESET)
    return Archive(packed, digest, {name: len(content) for name, content in contents.items()})


def unpack(content: bytes, folder: Path, *, digest: str | None = None) -> dict[str, Any]:
    """Unpack into a folder, and give the manifest.

    Raises:
        StepError: the archive is damaged, is another than was asked for, or holds what no archive of ours does: paths out of
            the folder, links, devices.
    """
    try:
        with lzma.LZMAFile(io.BytesIO(content)) as file:
            plain = file.read(_MAX_UNPACKED + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise _refused(f"it cannot be read: {error}") from error
    if len(plain) > _MAX_UNPACKED:
        raise _refused(f"it is larger than {_MAX_UNPACKED // 2**20} MiB")
    found = hashlib.sha256(plain).hexdigest()
    if digest is not None and found != digest:
        raise _refused(f"its digest is {found[:12]}…, and {digest[:12]}… was asked for")
    _extract(plain, folder)
    manifest = folder / MANIFEST
    return dict(json.loads(manifest.read_text("utf-8"))) if manifest.is_file() else {}


def _extract(plain: bytes, folder: Path) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
            members = tar.getmembers()
            for member in members:
                _check(member)
            for member in members:
                _write(tar, member, folder)
    except tarfile.TarError as error:
        raise _refused(f"it cannot be read: {error}") from error


def _check(member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or not path.parts:
        raise _refused(f"it holds the path {member.name!r}")
    if not member.isfile():
        raise _refused(f"{member.name!r} is no ordinary file")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    target = folder / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    target.write_bytes(source.read() if source else b"")
    target.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644


def _refused(why: str) -> StepError:
    return StepError(f"The code that came with the run is refused: {why}", cure="start the run anew")
