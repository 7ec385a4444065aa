"""What a browser would find on a login page: forms and links."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from kedro_kubeflow.auth.kubeflow.addresses import joined


@dataclass
class Form:
    """A form of a page.

    Attributes:
        action: where it is sent, absolute.
        method: ``GET`` or ``POST``.
        fields: name → value, as the page fills them in.
        types: name → type of the input.
    """

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    @property
    def password_field(self) -> str | None:
        """The name of the input that takes a password."""
        return next((name for name, kind in self.types.items() if kind == "password"), None)

    @property
    def user_field(self) -> str | None:
        """The name of the input that takes a user name."""
        return next((name for name, kind in self.types.items() if kind in ("text", "email")), None)


@dataclass
class Page:
    """What of a page matters to log in."""

    forms: list[Form] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    title: str = ""
    words: str = ""
    """What a person would read on it, without the title."""


def read_page(html: str, url: str) -> Page:
    """The forms and links of a page, addresses made absolute.

    Args:
        html: its source, well-formed or not.
        url: where it came from.
    """
    parser = _Parser(url)
    parser.feed(html)
    parser.close()
    return parser.page


_UNSEEN = ("script", "style", "template")


class _Parser(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._url = url
        self._form: Form | None = None
        self._in_title = False
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = joined(self._url, values.get("action") or self._url)
            self._form = Form(action, values.get("method", "get").upper())
            self.page.forms.append(self._form)
        elif tag in ("input", "button") and self._form is not None and values.get("name"):
            self._form.fields[values["name"]] = values.get("value", "")
            self._form.types[values["name"]] = values.get("type", "text" if tag == "input" else "submit").lower()
        elif tag == "a" and values.get("href"):
            self.page.links.append(joined(self._url, values["href"]))
        self._in_title = tag == "title"
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        self._unseen -= tag in _UNSEEN and self._unseen > 0

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.page.title += data.strip()
            self._in_title = False
        elif not self._unseen and data.strip():
            self.page.words = f"{self.page.words} {data.strip()}".strip()
