"""Saved plots as one self-contained HTML page, which the Kubeflow UI shows in place."""

from __future__ import annotations

import base64
import html
from pathlib import Path

_IMAGE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}


def picture_of(saved: Path, title: str) -> str | None:
    """The page for what a plot dataset has saved.

    Args:
        saved: the file or folder that the dataset was pointed at; a folder of versions gives its newest files.

    Returns:
        HTML, or None where there is nothing that a browser could show.
    """
    files = _files(saved)
    if len(files) == 1 and files[0].suffix.lower() in (".html", ".htm"):
        return files[0].read_text("utf-8")
    parts = [part for file in files if (part := _part(file))]
    if not parts:
        return None
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title></head><body>' + (
        "\n".join(parts) + "</body></html>"
    )


def _files(saved: Path) -> list[Path]:
    if saved.is_file():
        return [saved]
    files = sorted(p for p in saved.rglob("*") if p.is_file())
    # Kedro's versions are folders named by time: NAME/VERSION/NAME.
    versions = sorted({p.parent.name for p in files if p.name == saved.name and p.parent.parent == saved})
    return [p for p in files if p.parent.name == versions[-1]] if versions else files


def _part(file: Path) -> str | None:
    suffix = file.suffix.lower()
    if suffix in _IMAGE_TYPES:
        data = base64.b64encode(file.read_bytes()).decode()
        return f'<img alt="{html.escape(file.name)}" src="data:{_IMAGE_TYPES[suffix]};base64,{data}">'
    if suffix == ".json":
        import plotly.io

        figure = plotly.io.read_json(str(file))
        # The page must also show where the browser has no internet.
        return str(figure.to_html(full_html=False, include_plotlyjs=True))
    return None
