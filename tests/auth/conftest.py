from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from auth import google_stand_in


@pytest.fixture
def google(tmp_path: Path) -> Iterator[google_stand_in.Google]:
    """Google on 127.0.0.1."""
    with google_stand_in.google(tmp_path) as stand_in:
        yield stand_in
        assert not stand_in.problems
