"""The configuration reference and the JSON schema are those of the models; REGENERATE=1 rewrites both."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from golden_file import check_golden
from jsonschema import Draft202012Validator

from kedro_kubeflow.config.descriptions import descriptions
from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.config.reference import _models, _slug, reference
from kedro_kubeflow.config.schema import config_schema
from kedro_kubeflow.errors import ConfigError

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = "<!-- Written from the models: REGENERATE=1 pytest tests/config/test_reference.py -->\n\n"

FILE = """
host: https://kf.example.com/pipeline
auth: kubernetes
run_config:
  image: demo:1
  image_pull_policy: {__default__: IfNotPresent, "tag:gpu": Always}
  resources:
    __default__: {cpu: 0.5, memory: 1Gi}
    train: {requests: {cpu: 2}, nvidia.com/gpu: 1}
  tolerations:
    - {key: gpu, operator: Exists, effect: NoSchedule}
  node_selector: {train: {spot: false}}
  retry_policy: {__default__: {num_retries: 3, backoff_duration: 60s, backoff_factor: 2}}
  timeout: {train: 2h}
  env:
    __default__: {LEVEL: 3, VERBOSE: true, TOKEN: {secret: db, key: token}}
  extra_volumes:
    train:
      - mountPath: /dev/shm
        volume: {name: shm, emptyDir: {medium: Memory}}
  volume: {storageclass: null, size: 3Gi, access_modes: [ReadWriteMany], owner: 1000}
  cache: {"tag:slow": true}
  on_exit_pipeline: clean_up
  notifications: [{type: slack, url_env: SLACK_URL, when: [failed]}]
  dynamic_config_providers: [{cls: demo.Tokens, params: {entry: vault}}]
  ttl: 604800
  deadline: 1d
  grouping: namespace
"""
REFUSED: list[dict[str, Any]] = [
    {"run_confg": {}},
    {"run_config": {"imag": "x"}},
    {"run_config": {"image_pull_policy": "Sometimes"}},
    {"run_config": {"resources": {"__default__": {"cpus": 1}}}},
    {"run_config": {"notifications": [{"type": "mail", "url_env": "X"}]}},
    {"run_config": {"volume": {"access_modes": ["Everybody"]}}},
    {"run_config": {"retry_policy": {"x": {"num_retries": -1}}}},
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = config_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_page_is_current() -> None:
    check_golden("reference/configuration.md", WRITTEN + reference(), root=DOCS)


def test_the_schema_is_current() -> None:
    check_golden("reference/kubeflow.schema.json", json.dumps(config_schema(), indent=2) + "\n", root=DOCS)


def test_every_key_is_described() -> None:
    bare = [
        f"{path}.{name}"
        for path, model in _models()
        for name in model.model_fields
        if not descriptions(model).get(name)
    ]
    assert set(bare) <= {f"auth.{name}" for name in ("type",)}, "a docstring below the field is its description"
    assert all(model.__doc__ for _, model in _models())


def test_every_link_of_the_page_leads_somewhere() -> None:
    page = reference()
    anchors = [_slug(line.removeprefix("## ")) for line in page.splitlines() if line.startswith("## ")]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= set(anchors)


def test_the_schema_takes_what_the_models_take(validator: Draft202012Validator) -> None:
    data = yaml.safe_load(FILE)
    read_config(data)
    assert not [error.message for error in validator.iter_errors(data)]
    template = Path(__file__).parents[2] / "kedro_kubeflow/templates/kubeflow.yml"
    written = (
        template.read_text("utf-8").replace("@image@", "demo:1").replace("@project@", "Demo").replace("# @host@", "")
    )
    assert not [error.message for error in validator.iter_errors(yaml.safe_load(written))]


@pytest.mark.parametrize("data", REFUSED, ids=str)
def test_the_schema_refuses_what_the_models_refuse(data: dict[str, Any], validator: Draft202012Validator) -> None:
    with pytest.raises(ConfigError):
        read_config(data)
    assert not validator.is_valid(data)


def test_defaults_are_written_as_they_are_read(validator: Draft202012Validator) -> None:
    dumped = json.loads(KubeflowConfig().model_dump_json(by_alias=True, exclude_defaults=False, exclude_none=True))
    assert not [error.message for error in validator.iter_errors(dumped)]
