"""What is read where not all can be worked out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from omegaconf.base import Container
from omegaconf.basecontainer import BaseContainer
from omegaconf.resolvers import oc

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.conf import LEFT_TO_THE_RUN, read_section
from kedro_kubeflow.project.partial import _EVALUATE, UNKNOWN, is_known


@pytest.fixture(autouse=True)
def _resolvers_of_its_own() -> Iterator[None]:
    before = dict(BaseContainer._resolvers)
    yield
    BaseContainer._resolvers = before


def loader(folder: Path, text: str, *, section: str = "parameters") -> Any:
    (folder / "base").mkdir()
    (folder / "base" / f"{section}.yml").write_text(text)
    found = OmegaConfigLoader(
        str(folder),
        base_env="base",
        default_run_env="base",
        config_patterns={"kubeflow": ["kubeflow*"]},
        custom_resolvers={"oc.env": oc.env, "add": lambda *numbers: sum(numbers)},
    )
    setattr(found, LEFT_TO_THE_RUN, [])
    return found


TEXT = """
limit: 4
key: "${oc.env:NOBODY_SETS_IT}"
path: "s3://${oc.env:NOBODY_SETS_IT}/${limit}"
several: [1, {a: "${key}"}, "${add:1,2}", "${add:1,a}"]
decoded: "${oc.decode:${oc.env:NOBODY_SETS_IT}}"
inside: "${oc.create:{a:${key}}}"
deep: "${inside.a}"
nowhere: "${key.a}"
fallback: "${oc.env:NOBODY_SETS_IT,3}"
"""


def test_the_rest_is_known(tmp_path: Path) -> None:
    found = loader(tmp_path, TEXT)
    assert read_section(found, "parameters") == {
        "limit": 4,
        "key": UNKNOWN,
        "path": f"s3://{UNKNOWN}/4",
        "several": [1, {"a": UNKNOWN}, 3, UNKNOWN],
        "decoded": UNKNOWN,
        "inside": {"a": UNKNOWN},
        "deep": UNKNOWN,
        "nowhere": UNKNOWN,
        "fallback": "3",
    }
    left = set(getattr(found, LEFT_TO_THE_RUN))
    assert {text.split(" ")[0] for text in left} == {"${oc.env:NOBODY_SETS_IT}", "${add:1,a}"}
    assert not is_known(read_section(found, "parameters")["several"])


def test_omegaconf_still_works_resolvers_out_where_it_did() -> None:
    assert hasattr(Container, _EVALUATE), "without it, what a resolver cannot give here is an error, as in `kedro run`"


def test_without_that_all_must_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = loader(tmp_path, "limit: 4")
    monkeypatch.delattr(Container, _EVALUATE)
    assert read_section(found, "parameters") == {"limit": 4}


@pytest.mark.parametrize(
    "text", ["a: ${b}", "a: ${globals:b}", "a: ${nobody:b}", "a: '${runtime_params:b}'", "a: '${b'"]
)
def test_what_is_wrong_is_an_error_all_the_same(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="parameters configuration cannot be read"):
        read_section(loader(tmp_path, text), "parameters")


def test_what_the_plugin_itself_needs_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="NOBODY_SETS_IT"):
        read_section(loader(tmp_path, "host: ${oc.env:NOBODY_SETS_IT}", section="kubeflow"), "kubeflow")


def test_a_step_must_know_all(tmp_path: Path) -> None:
    found = loader(tmp_path, TEXT)
    setattr(found, LEFT_TO_THE_RUN, None)
    with pytest.raises(ConfigError, match="NOBODY_SETS_IT"):
        read_section(found, "parameters")
