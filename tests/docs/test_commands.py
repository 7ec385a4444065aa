"""Every command that README and docs show is typed here, page by page, and prints what is shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from docs.conftest import Reader
from docs.console import Block, blocks, matches, printed

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if "_build" not in p.parts)
# Its reader has nothing yet; the readers of all other pages have the quickstart project.
FROM_NOTHING = {"README.md"}
# It takes as long as all others together, and has a file of its own so that it can be read beside them.
FIRST = ROOT / "docs/tutorial/this-machine.md"
A, B, C = (f"{letter * 8}-0000-0000-0000-000000000000" for letter in "abc")
NEEDS = {"a network", "a container engine", "a cluster", "a terminal", "Google Cloud", "a login"}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _typed(page: Path) -> bool:
    return any(block.is_typed for block in blocks(page))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [p for p in PAGES if _typed(p) and p != FIRST], ids=_name)
def test_the_page_prints_what_it_shows(page: Path, reader: Reader) -> None:
    if _name(page) not in FROM_NOTHING:
        reader.start_in_project()
    for block in blocks(page):
        reader.follow(block)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_are_told_from_other_text(page: Path) -> None:
    for block in blocks(page):
        assert block.language not in {"bash", "sh", "shell", ""} or "fresh project" in block.marks, f"{block}: console"
        if block.language == "console":
            assert block.commands, f"{block}: no line starts with a dollar sign"
        assert block.marks.get("needs", "a network") in NEEDS, f"{block}: {block.marks['needs']}"


def test_what_is_typed_on_another_page_is() -> None:
    referring = [block for page in PAGES for block in blocks(page) if "typed" in block.marks]
    assert referring
    for block in referring:
        there = {c.text for b in blocks(ROOT / block.marks["typed"]) if b.is_typed for c in b.commands}
        assert {c.text for c in block.commands} <= there, block


def test_a_page_is_read_as_documented(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n<!-- exits: 2 -->\n```console\n$ one\n$ two \\\n>   --three\nprinted\n\n```\n\n"
        "<!-- merge: conf/x.yml -->\n```{code-block} yaml\n:caption: conf/x.yml\n\na: 1\n```\n<!-- fresh project -->\n"
    )
    console, merged, fresh = blocks(page)
    assert [(c.text, c.shown) for c in console.commands] == [("one", None), ("two \\\n  --three", ("printed",))]
    assert (console.line, console.marks) == (4, {"exits": "2"})
    assert (merged.text, merged.marks) == ("a: 1", {"merge": "conf/x.yml"})
    assert fresh.marks == {"fresh project": ""}


def test_a_mark_above_no_block_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- needs: a cluster -->\nText.\n")
    with pytest.raises(AssertionError, match="above no block"):
        list(blocks(page))


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        (["a"], ["a"], True),
        (["a"], ["b"], False),
        (["a"], ["a", "b"], False),
        (["…", "b"], ["x", "y", "b"], True),
        (["…", "b"], ["b"], True),
        (["a", "…"], ["a"], True),
        (["run … done"], ["run 1234 done"], True),
        (["run … done"], ["run 1234 failed"], False),
        (["step  3.2 s"], ["step 11.0 s"], True),
        ([f"{A} and {A}"], [f"{B} and {B}"], True),
        ([f"{A} and {A}"], [f"{A} and {B}"], False),
        ([f"{C} was before"], [f"{A} was before"], True),
        ([f"{C} was before"], [f"{B} was before"], False),
        (["in .kubeflow/runs/local-20260101-120000-0123ab"], ["in .kubeflow/runs/local-20261231-235959-abcdef"], True),
        (["id: 0123456789abcdef0123456789abcdef"], ["id: fedcba9876543210fedcba9876543210"], True),
        (["id: 0123456789abcdef0123456789abcdef"], ["id: none"], False),
    ],
)
def test_outputs_are_compared_beyond_times_and_ids(shown: list[str], real: list[str], same: bool) -> None:
    assert matches(tuple(shown), real, {C: A}) is same


def test_ids_are_learned_from_what_was_printed() -> None:
    known: dict[str, str] = {}
    assert matches((f"run {A} of {C}", "…"), [f"run {B} of {C}", f"and {A}"], known)
    assert known == {A: B, C: C}


@pytest.mark.parametrize("words", ["compile -o -", "compile -o - --pipeline nope"])
def test_the_kedro_that_starts_fast_is_kedro(reader: Reader, words: str) -> None:
    reader.start_in_project()
    fast, fast_code = reader._run(f"kedro kubeflow {words}"), reader._last_code
    slow, slow_code = reader._run(f"{sys.executable} -m kedro kubeflow {words}"), reader._last_code
    assert printed(fast) == printed(slow) != []
    assert fast_code == slow_code


def test_kedros_own_log_is_left_out() -> None:
    text = "[01/02/26 10:00:00] INFO     Using\n                             more\nsaid by us\n"
    assert printed(text) == ["said by us"]


def test_a_reader_notices_what_a_page_has_wrong(tmp_path: Path, reader: Reader) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo yes\nno\n```\n")
    with pytest.raises(AssertionError, match=r"the page shows\s+no"):
        reader.follow(next(iter(blocks(page))))
    page.write_text("```console\n$ false\n```\n")
    with pytest.raises(AssertionError, match="exit code 1, not 0"):
        reader.follow(next(iter(blocks(page))))


def test_a_reader_keeps_folder_and_exit_code(tmp_path: Path, reader: Reader) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- exits: 3 -->\n```console\n$ mkdir a && cd a\n$ (exit 3)\n```\n```console\n$ echo $? $(basename $PWD)\n3 a\n```\n"
        "<!-- merge: x/y.yml -->\n```yaml\na: {b: 1}\n```\n<!-- merge: x/y.yml -->\n```yaml\na: {c: 2}\n```\n"
        "```console\n$ cat x/y.yml\na:\n  b: 1\n  c: 2\n```\n"
    )
    for block in _all(page):
        reader.follow(block)


def _all(page: Path) -> list[Block]:
    return list(blocks(page))
