"""Whether a compiled pipeline that was kept, as in a repository, is still what the project compiles to."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from kedro_kubeflow.errors import ProjectError

# The version of kfp that compiled it says nothing of what runs.
_SDK = re.compile(r"^(sdkVersion: ).*$", re.MULTILINE)


def difference(compiled: str, kept: Path) -> list[str]:
    """A unified diff from the file that was kept to what is compiled now; empty where it is current.

    Raises:
        ProjectError: the file cannot be read.
    """
    try:
        text = kept.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"There is no compiled pipeline to compare with: {error}", where=str(kept), cure="compile it with -o"
        ) from error
    old, new = (_SDK.sub(r"\1-", version).splitlines() for version in (text, compiled))
    if old == new:
        return []
    return list(difflib.unified_diff(old, new, fromfile=f"{kept} (as it is)", tofile="compiled now", n=2, lineterm=""))
