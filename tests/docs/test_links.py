"""Links of README and of pages, in their sources; the built site's own check, on a small site."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CHECK = ROOT / "docs" / "check_links.py"


@pytest.mark.parametrize(
    "page", [p for p in SOURCES if "_build" not in p.parts], ids=lambda p: str(p.relative_to(ROOT))
)
def test_links_between_sources_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), f"{link}: there is no such file"
        if anchor and target.suffix == ".md":
            assert anchor in _anchors(target), f"{link}: there is no such heading"


def _anchors(page: Path) -> set[str]:
    """What GitHub and MyST make of headings, and MyST's own marks."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    return slugs | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))


def test_broken_links_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text('<h1 id="there">There</h1>')
    good = '<a href="other.html#there">1</a><a href="#here" id="here">2</a><a href="https://example.com/x">3</a>'
    (tmp_path / "index.html").write_text(good)
    assert _check(tmp_path) == (0, ["0 broken links"])
    bad = '<a href="gone.html"></a><a href="other.html#gone"></a><img src="http://example.com/x"><a href="../up.html"></a>'
    (tmp_path / "index.html").write_text(good + bad)
    assert _check(tmp_path) == (
        1,
        [
            "index.html: gone.html: there is no such file",
            "index.html: other.html#gone: there is no such anchor",
            "index.html: http://example.com/x: not https",
            "index.html: ../up.html: leads out of the site",
            "4 broken links",
        ],
    )


def _check(site: Path) -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, str(CHECK), str(site)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()
