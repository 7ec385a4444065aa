"""The limits of Kubeflow Pipelines and Argo that a pipeline would run into."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.parameters import size
from kedro_kubeflow.plan import Plan
from kedro_kubeflow.plan.inputs import PipelineInput

MANY_STEPS, TOO_MANY_STEPS = 50, 200
MAX_UPLOAD = 32 * 2**20
"""What KFP's server takes as a file."""
MAX_WORKFLOW = 2**20
"""What Argo takes as a workflow, its status compressed (``MAX_WORKFLOW_SIZE`` of its controller)."""
MANY_INPUT_BYTES = 9_000
MAX_ARGUMENT = 128 * 2**10
"""What Linux takes as one argument of a process."""

# Estimated from workflows that KFP's compiler made: their spec is a fifth larger than the pipeline's, and a task's status
# takes some 1.9 KiB when compressed; good to about 30 %.
_SPEC_FACTOR = 1.2
_STATUS_BYTES = 1_900
_GROUPING = "let nodes share steps (run_config.grouping: namespace, tag, pipeline, memory or all)"


def limit_findings(plan: Plan, compiled: Any) -> Iterator[Finding]:
    """Numbers and sizes that are, or may be, too large.

    Args:
        compiled: the plan's `CompiledPipeline`.
    """
    yield from _count(len(plan.tasks))
    yield from _sizes(compiled, len(plan.tasks))
    for task in plan.tasks:
        longest = max((len(word.encode()) for word in task.call.to_argv()), default=0) if task.call else 0
        if longest >= MAX_ARGUMENT:
            what = f"An argument of the step {task.display_name!r} has {longest:,} bytes; Linux takes {MAX_ARGUMENT:,}"
            yield Finding("argument-size", "error", what, cure="let fewer nodes share the step")
    yield from _parameters(plan.inputs)
    for text in plan.warnings:
        cached = text in plan.cache_warnings
        yield Finding("cache-image", "warning", text) if cached else Finding("note", "info", text)


def _count(steps: int) -> Iterator[Finding]:
    if steps > TOO_MANY_STEPS:
        what = f"{steps} steps: with some 250 to 300, a workflow no longer fits into the cluster's database"
    elif steps > MANY_STEPS:
        what = f"{steps} steps: each starts two pods, and retrying a failed run from the UI becomes fragile"
    else:
        return
    yield Finding("step-count", "warning", what, cure=_GROUPING)


def _sizes(compiled: Any, tasks: int) -> Iterator[Finding]:
    uploaded = len(compiled.text.encode())
    if uploaded > MAX_UPLOAD:
        what = f"The compiled pipeline has {uploaded:,} bytes; Kubeflow Pipelines takes {MAX_UPLOAD:,}"
        yield Finding("spec-size", "error", what, cure=_GROUPING)
    spec = _json_size(compiled.pipeline_spec) + _json_size(compiled.platform_spec)
    estimate = int(spec * _SPEC_FACTOR + tasks * _STATUS_BYTES)
    if estimate > 0.7 * MAX_WORKFLOW:
        certain = spec > MAX_WORKFLOW
        what = f"The workflow will have about {estimate:,} bytes; Argo takes {MAX_WORKFLOW:,}"
        yield Finding("workflow-size", "error" if certain else "warning", what, cure=_GROUPING)


def _parameters(inputs: Sequence[PipelineInput]) -> Iterator[Finding]:
    total = sum(size(i.name, i.default) for i in inputs)
    if total > MANY_INPUT_BYTES:
        what = f"The run-time parameters have {total:,} bytes, each of which stands about nine times in the run's Workflow for "
        what += f"each step that is told it; Argo takes {MAX_WORKFLOW:,}"
        yield Finding("parameters-size", "warning", what, cure="keep large values in conf, or as datasets")


def _json_size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=dict).encode())
