"""Golden files: compared byte for byte, rewritten by ``REGENERATE=1``, which CI refuses."""

from __future__ import annotations

import os
import re
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def check_golden(name: str, text: str, root: Path = GOLDEN) -> None:
    """Hold a text against ``golden/NAME``."""
    file = root / name
    # The SDK's version is written into every spec; it is not what these files are about.
    text = re.sub(r"sdkVersion: kfp-\S+", "sdkVersion: kfp-X", text)
    if os.environ.get("REGENERATE"):
        assert not os.environ.get("CI"), "golden files are rewritten by people, not by CI"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    assert file.exists(), f"{file} is missing: REGENERATE=1 writes it"
    assert text == file.read_text("utf-8"), f"{file} differs: look at the change, then REGENERATE=1"
