"""Models that kedro-mlflow's ``pipeline_ml_factory`` logs when a pipeline has run as a whole.

https://kedro-mlflow.readthedocs.io/en/stable/source/04_pipeline_as_model/
"""

from __future__ import annotations

from collections.abc import Iterator

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.plan import Plan


def model_findings(subject: Subject, plan: Plan) -> Iterator[Finding]:
    """Such pipelines whose nodes are not all in one step: nobody runs the whole, so that no model is logged."""
    for name in subject.scope.selection.pipelines:
        pipeline = subject.facts.pipelines.get(name)
        if pipeline is None or not subject.scope.tracking or type(pipeline).__name__ != "PipelineML":
            continue
        nodes = {node.name for node in pipeline.nodes}
        if not any(nodes == {node.name for node in step.nodes} for step in plan.steps):
            yield Finding(
                "pipeline-ml",
                "error",
                f"kedro-mlflow logs the model of {name!r} when all its nodes have run in one process, and here they are "
                f"{len(plan.steps)} steps: no model would be logged",
                f"pipeline {name!r} (pipeline_ml_factory)",
                "let its nodes share one step: `grouping: all` in run_config, in an environment or a job of its own",
            )
