"""A person with a browser: reads pages, fills in forms, allows what is asked."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import requests

from kedro_kubeflow.auth.kubeflow.html_forms import read_page


def go_through(url: str, *, name: str = "ann", code: str = "", most: int = 8) -> requests.Response:
    """The page at the end of a login."""
    with requests.Session() as browser:
        browser.trust_env = False
        answer = browser.get(url, timeout=20)
        for _ in range(most):
            forms = [form for form in read_page(answer.text, answer.url).forms if form.fields or form.types]
            if not forms or urlsplit(answer.url).path == "/callback":
                return answer
            fields = dict(forms[0].fields)
            for field, kind in forms[0].types.items():
                if field == "user_code":
                    fields[field] = fields[field] or code
                elif kind in ("text", "password"):
                    fields[field] = name
            fields.pop("abort", None)
            answer = browser.post(forms[0].action, data=fields, timeout=20)
    raise AssertionError(f"the login does not end: {answer.url} {answer.text[:300]}")


class Person(threading.Thread):
    """Does it beside the command that waits for it."""

    def __init__(self, url: str, **options: str) -> None:
        super().__init__(daemon=True)
        self._url, self._options = url, options
        self.answer: requests.Response | None = None
        self.start()

    def run(self) -> None:
        self.answer = go_through(self._url, **self._options)  # type: ignore[arg-type]
