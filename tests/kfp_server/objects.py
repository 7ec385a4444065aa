"""The object store behind the UI's server: a file as it is, the files under a prefix as .tar.gz, with or without ranges."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass, field

from kfp_server.faults import Answer

GZIP = "application/gzip"


@dataclass
class Objects:
    """What is stored, by ``SOURCE/BUCKET/KEY``.

    Attributes:
        ranges: whether a part of a file can be asked for.
        cuts: after how many bytes the connection breaks, for the next answers.
    """

    stored: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = False
    cuts: list[int] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str], *, multi_user: bool) -> Answer:
        """What the UI's server says to ``/artifacts/SOURCE/BUCKET/KEY``."""
        if multi_user and not query.get("namespace"):
            return Answer(400, b"Namespace parameter is required when authentication is enabled", "text/html")
        key = path.removeprefix("/artifacts/")
        cut = self.cuts.pop(0) if self.cuts else None
        if key in self.stored:
            return self._file(self.stored[key], headers.get("range", ""), cut)
        inside = {
            name.removeprefix(f"{key}/"): data for name, data in self.stored.items() if name.startswith(f"{key}/")
        }
        if not inside:
            return Answer(404, f"No objects found at {key}".encode(), "text/html")
        name = f'attachment; filename="{key.rpartition("/")[2]}.tar.gz"'
        return Answer(200, _packed(inside), GZIP, headers={"Content-Disposition": name}, cut=cut)

    def _file(self, data: bytes, asked: str, cut: int | None) -> Answer:
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        if self.ranges and match:
            return Answer(206, data[int(match.group(1)) :], "", cut=cut)
        return Answer(200, data, "", cut=cut)


def _packed(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()
