"""The limits of Kubeflow Pipelines and Argo that a pipeline would run into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.parameters import size
from kedro_kubeflow.plan import Plan
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.workflow import LIMIT

MANY_STEPS = 50
MAX_UPLOAD = 32 * 2**20
"""What KFP's server takes as a file."""
LARGE = 0.7
"""The part of a workflow's limit from which on it is spoken of."""
MANY_INPUT_BYTES = 9_000
MAX_ARGUMENT = 128 * 2**10
"""What Linux takes as one argument of a process."""

_GROUPING = "let nodes share steps (run_config.grouping: auto, chain, namespace, tag or pipeline)"


def limit_findings(plan: Plan) -> Iterator[Finding]:
    """Numbers and sizes that are, or may be, too large."""
    yield from _count(len(plan.tasks))
    yield from size_findings(plan)
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
    if steps > MANY_STEPS:
        what = f"{steps} steps: each starts two pods, and retrying a failed run from the UI becomes fragile"
        yield Finding("step-count", "warning", what, cure=_GROUPING)


def size_findings(plan: Plan) -> Iterator[Finding]:
    """Whether Argo keeps the run to its end; on targets without Argo, nothing is to be said."""
    size = plan.workflow
    if size.spec > MAX_UPLOAD:
        what = f"The compiled pipeline has about {size.spec:,} bytes; Kubeflow Pipelines takes {MAX_UPLOAD:,}"
        yield Finding("spec-size", "error", what, cure=_GROUPING)
    if size.limit is None or size.total <= LARGE * size.limit:
        return
    what = (
        f"{size.tasks} steps make a workflow of about {size.total:,} bytes; Argo takes {size.limit:,}, which is about "
    )
    what += f"{size.steps_that_fit} such steps"
    if size.fits:
        yield Finding("workflow-size", "warning", what, cure=_GROUPING)
        return
    yield Finding(
        "workflow-size",
        "error",
        f"{what}. The run would end in the middle: FAILED, with no word of why and no task at the end",
        "kubeflow.yml, run_config.grouping",
        f"{_GROUPING}; where administrators have raised Argo's limit, say so in run_config.workflow_limit",
    )


def _parameters(inputs: Sequence[PipelineInput]) -> Iterator[Finding]:
    total = sum(size(i.name, i.default) for i in inputs)
    if total > MANY_INPUT_BYTES:
        what = f"The run-time parameters have {total:,} bytes, each of which stands about nine times in the run's Workflow for "
        what += f"each step that is told it; Argo takes {LIMIT:,}"
        yield Finding("parameters-size", "warning", what, cure="keep large values in conf, or as datasets")
