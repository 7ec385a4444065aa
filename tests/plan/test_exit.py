"""What the exit task is given, and what cannot be asked of it."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.pipeline import Pipeline, node
from plans import graph_of

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.errors import CompileError, ConfigError
from kedro_kubeflow.plan.exit import AtExit, ExitPipeline, exit_nodes, exit_of, notification_secrets
from kedro_kubeflow.plan.grouping import by_node
from kedro_kubeflow.plan.handoff import handoff
from kedro_kubeflow.plan.nodes import node_facts
from kedro_kubeflow.project.facts import Parameters

MAIN = Pipeline([node(lambda x: x, "raw", "model", name="train")])
PARAMETERS = {"team": "red", "unused": 1}


def bye(*inputs: str) -> Pipeline:
    return Pipeline([node(lambda *_: 1, list(inputs), "told", name="tell")])


def exit_with(pipeline: Pipeline, catalog: dict[str, Any], **run_config: Any) -> AtExit | None:
    config = KubeflowConfig.model_validate({"run_config": {"on_exit_pipeline": "bye", **run_config}})
    volume = config.run_config.volume
    registered = {"__default__": MAIN, "bye": pipeline}
    facts = node_facts(MAIN)
    pipeline_at_end = ExitPipeline(name="bye", nodes=exit_nodes("bye", registered), entries={})
    datasets = {*pipeline_at_end.datasets, "raw", "model"}
    handoffs = {d: handoff(d, catalog.get(d), volume=volume.folder if volume else None) for d in datasets}
    pipeline_at_end = ExitPipeline(
        name="bye", nodes=pipeline_at_end.nodes, entries={d: catalog.get(d) for d in pipeline_at_end.datasets}
    )
    dag = graph_of(facts, by_node(facts), handoffs, Parameters(values=PARAMETERS))
    return exit_of(config, pipeline_at_end, dag.steps, handoffs, Parameters(values=PARAMETERS), registered)


S3 = {"type": "json.JSONDataset", "filepath": "s3://bucket/model.json"}
LOCAL = {"type": "json.JSONDataset", "filepath": "data/model.json"}


def test_it_is_told_of_the_run_and_given_its_own_parameters() -> None:
    found = exit_with(bye("params:kubeflow_run.status", "params:status", "params:team"), {})
    assert found
    assert found.step
    assert found.options["exit_told"] == ["kubeflow_run", "status"]
    assert found.step.parameters == ("kubeflow_run", "status", "team")
    facts = node_facts(bye("params:kubeflow_run", "params:team"))
    assert ExitPipeline(name="bye", nodes=facts).parameters({**PARAMETERS, "kubeflow_run": {}}) == {"team"}
    everything = ExitPipeline(name="bye", nodes=node_facts(bye("parameters")))
    assert everything.parameters({**PARAMETERS, "kubeflow_run": {}}) == {"team", "unused"}


@pytest.mark.parametrize("model", [None, LOCAL], ids=["memory", "file"])
def test_it_cannot_read_what_crosses_as_an_artifact(model: Any) -> None:
    with pytest.raises(CompileError, match="exit task"):
        exit_with(bye("model"), {"raw": S3, "model": model})


def test_it_can_read_what_lies_elsewhere_or_on_the_volume() -> None:
    assert exit_with(bye("model"), {"raw": S3, "model": S3})
    assert exit_with(bye("model"), {"raw": S3, "model": LOCAL}, volume={})
    with pytest.raises(CompileError, match=r"with `keep` that is a claim"):
        exit_with(bye("model"), {"raw": S3, "model": LOCAL}, volume={"keep": True, "storageclass": "nfs"})


def test_a_pipeline_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'clean_upp' is none of the project's. Did you mean 'clean_up'"):
        exit_nodes("clean_upp", {"clean_up": MAIN})
    with pytest.raises(ConfigError, match="has no nodes"):
        exit_nodes("empty", {"empty": Pipeline([])})


def test_addresses_come_from_secrets_by_reference() -> None:
    config = KubeflowConfig.model_validate(
        {
            "run_config": {
                "notifications": [
                    {"type": "slack", "url_env": "SLACK_URL"},
                    {"type": "webhook", "url_secret": {"name": "hooks", "key": "url"}, "when": ["failed"]},
                ]
            }
        }
    )
    facts = node_facts(MAIN)
    dag = graph_of(facts, by_node(facts), {d: handoff(d, S3) for d in ("raw", "model")}, Parameters(values={}))
    found = exit_of(config, None, dag.steps, {}, Parameters(values={}), {})
    assert found == AtExit(
        options={
            "notifications": [
                {"type": "slack", "when": ["succeeded", "failed", "cancelled"], "url_env": "SLACK_URL"},
                {"type": "webhook", "when": ["failed"], "url_env": "KEDRO_KUBEFLOW_NOTIFY_1"},
            ]
        }
    )
    secrets = notification_secrets(config.run_config.notifications)
    assert {name: (s.secret, s.key) for name, s in secrets.items()} == {"KEDRO_KUBEFLOW_NOTIFY_1": ("hooks", "url")}
    assert exit_of(KubeflowConfig(), None, dag.steps, {}, Parameters(values={}), {}) is None
