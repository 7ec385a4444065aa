"""Configuration made in the pod: laid over what a real config loader reads, for this process alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from kedro.config import OmegaConfigLoader

from kedro_kubeflow.errors import ProjectError
from kedro_kubeflow.runtime import dynamic
from kedro_kubeflow.runtime.dynamic import providing

pytestmark = pytest.mark.filterwarnings("ignore:register_new_resolver")


class Tokens:
    def __init__(self, token: str) -> None:
        self.token = token

    def generate_config(self) -> dict[str, Any]:
        return {"vault": {"token": self.token}}


class Globals:
    target_config_file = "globals.yml"

    def generate_config(self) -> dict[str, Any]:
        return {"bucket": "made"}


class Replacing(Tokens):
    def merge_with_existing(self, existing: Any, generated: Any) -> dict[str, Any]:
        return {"was": sorted(existing), **generated}


class Broken:
    def generate_config(self) -> Any:
        raise OSError("the vault is sealed")


class Odd:
    def generate_config(self) -> Any:
        return ["s3cret"]


@pytest.fixture(autouse=True)
def _importable() -> Iterator[None]:
    module = ModuleType("providers_under_test")
    for name in ("Tokens", "Globals", "Replacing", "Broken", "Odd"):
        setattr(module, name, globals()[name])
    sys.modules[module.__name__] = module
    yield
    del sys.modules[module.__name__]


def made(name: str, **params: Any) -> Any:
    return dynamic._provided(f"providers_under_test.{name}", params)


def loader(path: Path, *providers: Any, **files: Any) -> Any:
    (path / "base").mkdir()
    for name, values in files.items():
        (path / "base" / f"{name}.yml").write_text(yaml.safe_dump(values))
    cls = providing(OmegaConfigLoader, providers)
    return cls(conf_source=str(path), base_env="base", default_run_env="base")


def test_it_is_laid_over_what_is_there(tmp_path: Path) -> None:
    found = loader(tmp_path, made("Tokens", token="x"), credentials={"vault": {"user": "u"}, "other": 1})
    assert found["credentials"] == {"vault": {"user": "u", "token": "x"}, "other": 1}


def test_a_section_without_a_file_is_made(tmp_path: Path) -> None:
    assert loader(tmp_path, made("Tokens", token="x"))["credentials"] == {"vault": {"token": "x"}}


def test_globals_reach_interpolations(tmp_path: Path) -> None:
    found = loader(tmp_path, made("Globals"), globals={"bucket": "read"}, catalog={"a": {"type": "${globals:bucket}"}})
    assert found["catalog"]["a"]["type"] == "made"


def test_what_is_set_explicitly_stays_as_it_is(tmp_path: Path) -> None:
    found = loader(tmp_path, made("Tokens", token="x"))
    found["credentials"] = {"vault": {}}
    assert found["credentials"] == {"vault": {}}


def test_a_provider_may_merge_by_itself(tmp_path: Path) -> None:
    found = loader(tmp_path, made("Replacing", token="x"), credentials={"b": 1, "a": 2})
    assert found["credentials"] == {"was": ["a", "b"], "vault": {"token": "x"}}


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("no_such_package.Tokens", {}, "cannot be imported"),
        ("providers_under_test.Tokns", {}, "cannot be imported"),
        ("builtins.dict", {}, "no class with a method `generate_config`"),
        ("providers_under_test.Tokens", {"tokn": 1}, "unexpected keyword"),
        ("providers_under_test.Broken", {}, "OSError: the vault is sealed"),
        ("providers_under_test.Odd", {}, "gives a list"),
    ],
)
def test_a_provider_that_cannot_be_used_is_named(path: str, params: dict[str, Any], words: str) -> None:
    with pytest.raises(ProjectError, match=words) as error:
        dynamic._provided(path, params)
    assert path in str(error.value)
    assert "s3cret" not in str(error.value)


def test_what_is_made_is_not_shown() -> None:
    assert "s3cret" not in repr(made("Tokens", token="s3cret"))
