"""The first tutorial from its first line to its last: a project is made, and its pipeline runs here for real."""

from __future__ import annotations

import pytest

from docs.conftest import Reader
from docs.console import blocks
from docs.test_commands import FIRST


@pytest.mark.timeout(900)
def test_the_first_tutorial_prints_what_it_shows(reader: Reader) -> None:
    for block in blocks(FIRST):
        reader.follow(block)
