"""Secrets: made in the pod, given by reference, and found nowhere else. Canaries are planted, and every byte is searched."""

from __future__ import annotations

import json
from pathlib import Path

from kedro_project import KedroProject, make_project

VAULT = """
import os
from kedro.io import AbstractDataset

class Tokens:
    \"\"\"Makes credentials in the pod.\"\"\"

    def __init__(self, entry):
        self.entry = entry

    def generate_config(self):
        return {self.entry: {"token": os.environ["VAULT_TOKEN"]}}

class Globals:
    target_config_file = "globals.yml"

    def generate_config(self):
        return {"greeting": "made in the pod"}

class VaultDataset(AbstractDataset):
    def __init__(self, greeting, credentials):
        self.greeting, self.credentials = greeting, credentials

    def load(self):
        return {"greeting": self.greeting, "user": self.credentials["user"], "letters": len(self.credentials["token"])}

    def save(self, data):
        raise NotImplementedError

    def _describe(self):
        return {}
"""
PIPELINE = """
from kedro.pipeline import Pipeline, node

def look(vault, name):
    return {**vault, "name": name}

def create_pipeline():
    return Pipeline([node(look, ["vault", "params:name"], "seen", name="look")])
"""
SETTINGS = """
from kedro.framework.hooks import hook_impl

class Hooks:
    @hook_impl
    def before_node_run(self, node):
        print("a hook of the project saw", node.name)

HOOKS = (Hooks(),)
CONFIG_LOADER_ARGS = {
    "base_env": "base", "default_run_env": "local", "custom_resolvers": {"shout": lambda text: str(text).upper()}
}
"""
PLANTED = {
    "VAULT_TOKEN": "canary-in-the-environment",
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-cloud",
    "KEDRO_CONFIG_TOKEN": "canary-of-old-times",
    "MLFLOW_TRACKING_PASSWORD": "canary-of-tracking",
}
RUN_CONFIG = {
    "image": "registry.example.com/demo:${oc.env:BUILD}",
    "env": {
        "__default__": {"BUILD": "${oc.env:BUILD}", "VAULT_TOKEN": {"secret": "vault", "key": "token"}},
    },
    "dynamic_config_providers": [
        {"cls": "demo.vault.Tokens", "params": {"entry": "vault"}},
        {"cls": "demo.vault.Globals"},
    ],
}


def project_at(path: Path) -> KedroProject:
    project = make_project(
        path,
        pipelines=PIPELINE,
        settings=SETTINGS,
        catalog={
            "vault": {"type": "demo.vault.VaultDataset", "greeting": "${globals:greeting}", "credentials": "vault"},
            "seen": {"type": "json.JSONDataset", "filepath": "data/seen.json"},
        },
        parameters={"name": "${shout:ada}"},
        kubeflow={"run_config": RUN_CONFIG},
        data={},
    )
    project.write("src/demo/vault.py", VAULT)
    project.conf("credentials", {"vault": {"user": "canary-in-credentials"}}, env="local")
    project.conf("globals", {"greeting": "as the image has it", "unused": "canary-in-globals"})
    return project


def test_they_are_made_in_the_pod_and_reach_neither_spec_nor_logs(tmp_path: Path) -> None:
    project = project_at(tmp_path)
    before = {file: file.read_bytes() for file in (tmp_path / "conf").rglob("*") if file.is_file()}
    planted = {**PLANTED, "BUILD": "1.2.3"}

    compiled = project.kedro("kubeflow", "compile", "-o", "pipeline.yaml", env=planted).ok()
    # With conf/local, which no image holds.
    done = project.run_once(env=planted, fresh=True, isolated=False).ok()
    facts = done.facts
    seen = json.loads(Path(facts["steps"][0]["outputs"]["seen"]).read_text())
    assert seen == {
        "greeting": "made in the pod",
        "user": "canary-in-credentials",
        "letters": len(PLANTED["VAULT_TOKEN"]),
        "name": "ADA",
    }
    log = Path(facts["steps"][0]["log"]).read_text()
    assert "a hook of the project saw look" in log
    assert {file: file.read_bytes() for file in (tmp_path / "conf").rglob("*") if file.is_file()} == before

    result = Path(facts["steps"][0]["outputs"]["seen"])
    written = [f for f in [*(tmp_path / ".kubeflow").rglob("*"), tmp_path / "pipeline.yaml"] if f.is_file()]
    texts = {str(f): f.read_bytes() for f in written if f != result} | {
        "compile": compiled.text.encode(),
        "run": done.text.encode(),
    }
    assert not [name for name, text in texts.items() if b"canary" in text]
    spec = texts[str(tmp_path / "pipeline.yaml")].decode()
    assert spec.count("1.2.3") == 2, "the image of one step, and the variable that `env` names"
    assert "secretName: vault" in spec


def test_a_variable_that_is_not_there_is_named(tmp_path: Path) -> None:
    failed = project_at(tmp_path).kedro("kubeflow", "compile", env=PLANTED).failed(2)
    assert "BUILD" in failed.err
    assert "canary" not in failed.text
