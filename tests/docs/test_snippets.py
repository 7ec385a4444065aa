"""What pages let their reader write: every piece of configuration is accepted by the models, every class does its work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.console import Block, blocks
from kedro_kubeflow.auth.credentials.provider import AuthProvider, Surroundings
from kedro_kubeflow.config.kubeflow import read_config

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if "_build" not in p.parts]


def _written(name: str) -> Iterator[Block]:
    for page in PAGES:
        for block in blocks(page):
            if Path(block.marks.get("merge") or block.marks.get("file") or "").name == name:
                yield block


# Shown to be refused, on pages that show the refusal.
REFUSED = {"migrate-from-0.x.md": "max_cache_staleness"}


@pytest.mark.parametrize("block", list(_written("kubeflow.yml")), ids=str)
def test_every_kubeflow_yml_is_accepted(block: Block) -> None:
    values = yaml.safe_load(block.text.replace("${oc.env:REPORT_TITLE,none}", "none"))
    if REFUSED.get(block.page.name) in values.get("run_config", {}):
        return
    assert read_config(values).model_fields_set == set(values)


@pytest.mark.parametrize("block", list(_written("mlflow.yml")), ids=str)
def test_every_mlflow_yml_is_accepted_by_kedro_mlflow(block: Block) -> None:
    from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig

    assert KedroMlflowConfig.model_validate(yaml.safe_load(block.text)).server.mlflow_tracking_uri is not Ellipsis


def test_every_block_of_yaml_and_json_parses() -> None:
    for page in PAGES:
        for block in blocks(page):
            if block.language in ("yaml", "{code-block} yaml"):
                list(yaml.safe_load_all(block.text))
            if block.language == "json":
                json.loads(block.text)


def test_the_header_provider_of_the_page_works_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = _written("mlflow_login.py")
    provider = _run(block)["MyHeaderProvider"](user="penguin")
    monkeypatch.setenv("MY_SECRET", "fish")
    assert provider.in_context()
    assert provider.request_headers() == {"Authorization": "Bearer penguin:fish"}
    monkeypatch.setenv("MY_SECRET", "krill")
    assert provider.request_headers() == {"Authorization": "Bearer penguin:fish"}, "kept for five minutes"


def test_the_login_of_the_page_is_one(tmp_path: Path) -> None:
    (block,) = _written("login.py")
    login = _run(block)["Login"]({"realm": "science"}, Surroundings("https://kubeflow.example.com", {}))
    assert isinstance(login, AuthProvider)
    assert set(login.headers()) == {"Authorization"}


def test_the_dynamic_configuration_of_the_page_is_made() -> None:
    (block,) = _written("tokens.py")
    assert set(_run(block)["WarehouseToken"](user="penguin").generate_config()) == {"warehouse"}


def _run(block: Block) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": block.page.stem}
    exec(compile(block.text, str(block.page), "exec"), names)
    return names
