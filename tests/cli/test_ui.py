from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from kfp_server import KfpServer

from cli.conftest import Kedro

pytestmark = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="browsers are found in other ways there")


def test_the_link_where_there_is_no_browser(server: KfpServer, kedro: Kedro, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert kedro("ui").ok().out == f"{server.url}/#/pipelines\n"
    assert kedro("ui", "--output", "json").ok().json == {"link": f"{server.url}/#/pipelines", "opened": False}
    assert server.log == []


def test_a_browser_is_opened(server: KfpServer, kedro: Kedro, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A real program, as webbrowser starts it."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    monkeypatch.setattr("webbrowser._tryorder", None)
    assert kedro("ui", "--output", "json").ok().json["opened"] is True
    assert (tmp_path / "opened").read_text() == f"{server.url}/#/pipelines\n"
    (tmp_path / "opened").unlink()
    assert kedro("ui", "--no-browser").ok().out == f"{server.url}/#/pipelines\n"
    assert not (tmp_path / "opened").exists()
