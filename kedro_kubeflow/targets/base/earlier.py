"""A run to go on from: what its target tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.plan import Plan
from kedro_kubeflow.plan.resume import importer_name
from kedro_kubeflow.request import EarlierRun, Request
from kedro_kubeflow.results.artifact import RunArtifact
from kedro_kubeflow.results.spec import defaults_of, nodes_of, nodes_taken_over
from kedro_kubeflow.targets.base.target import Target

_WELL = ("SUCCEEDED", "CACHED")


def earlier_run(target: Target, run_id: str, *, trust: bool = False, again: tuple[str, ...] = ()) -> EarlierRun:
    """What of a run can be taken over.

    Args:
        trust: whether steps are taken over though their parameters have changed.
        again: nodes that run anew, and all that follow from them.

    Raises:
        Unsupported: the target does not tell where its runs' artifacts lie.
        AuthError, ServerError: there is no such run, or it has not ended.
    """
    run = target.get(run_id)
    if not run.ended:
        raise ServerError(
            f"The {target.noun} {run.id} has not ended ({run.state})",
            where=target.link(run.id),
            cure="wait for it, or end it with `kedro kubeflow terminate`",
        )
    spec = target.spec(run_id)
    nodes, well = nodes_of(spec), {step.display_name for step in run.steps if step.state in _WELL}
    ran = {node: step for step in nodes if step in well for node in nodes[step]}
    before, taken = nodes_taken_over(spec), dict[str, tuple[str, ...]]()
    for node, step in before.items():
        taken[step] = (*taken.get(step, ()), node)
    return EarlierRun(
        id=run.id,
        nodes={**before, **ran},
        steps={**taken, **nodes},
        parameters={**defaults_of(spec), **run.parameters},
        made={artifact.dataset: artifact.told() for artifact in target.artifacts(run_id) if artifact.uri},
        trust=trust,
        again=again,
    )


def with_what_is_there(target: Target, request: Request, plan_of: Callable[[Request], Plan]) -> Request:
    """A request without artifacts that its plan would take over and that are gone, as far as the target can be asked.

    Args:
        plan_of: the plan of a request; without an artifact it may need another one.
    """
    while request.earlier is not None:
        kept = _without_lost(target, request.earlier, plan_of(request))
        if kept == request.earlier:
            break
        request = replace(request, earlier=kept)
    return request


def _without_lost(target: Target, earlier: EarlierRun, plan: Plan) -> EarlierRun:
    imported = {importer_name(i.artifact.dataset): i for step in plan.steps for i in step.inputs}
    lost = set()
    for task in plan.tasks:
        if task.imports and task.name in imported:
            given = imported[task.name]
            dataset = given.artifact.dataset
            artifact = RunArtifact(
                dataset=dataset, step="", type=given.type, uri=task.imports, filename=given.artifact.filename
            )
            if target.is_there(artifact) is False:
                lost.add(dataset)
    return replace(earlier, made={name: known for name, known in earlier.made.items() if name not in lost})
