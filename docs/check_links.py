"""Check the links of a built site without a network: ``python docs/check_links.py SITE``.

Every link within the site must lead to a file that is there, and to an anchor in it; links that lead out of the site must be
https. Gives 1 and says which are wrong where some are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Where a reader's own machine answers, while something runs there.
LOCAL = ("localhost", "127.0.0.1")


@dataclass
class Page(HTMLParser):
    """The links and the anchors of a page."""

    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name in ("href", "src"):
                self.links.append(value)
            elif value and (name == "id" or (tag == "a" and name == "name")):
                self.anchors.add(value)


@cache
def read(file: Path) -> Page:
    """One page, read once."""
    page = Page()
    page.feed(file.read_text("utf-8"))
    return page


def broken(site: Path) -> Iterator[str]:
    """What is wrong, a line each."""
    for file in sorted(site.rglob("*.html")):
        for link in dict.fromkeys(read(file).links):
            if problem := _problem(file, link, site):
                yield f"{file.relative_to(site)}: {link}: {problem}"


def _problem(file: Path, link: str, site: Path) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in ("data", "mailto", "javascript"):
        return None
    if parts.scheme or parts.netloc:
        return None if parts.scheme == "https" or parts.hostname in LOCAL else "not https"
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.is_relative_to(site.resolve()):
        return "leads out of the site"
    if target.is_dir():
        target = target / "index.html"
    if not target.is_file():
        return "there is no such file"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in read(target).anchors:
        return "there is no such anchor"
    return None


if __name__ == "__main__":
    problems = list(broken(Path(sys.argv[1]).resolve()))
    print(*problems, f"{len(problems)} broken links", sep="\n")
    sys.exit(bool(problems))
