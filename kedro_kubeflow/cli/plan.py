"""``kedro kubeflow plan``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options, request_from
from kedro_kubeflow.cli.output import to_option
from kedro_kubeflow.cli.preparation import Preparation, resume_options

if TYPE_CHECKING:
    from kedro_kubeflow.cli.plan_view import PlanView, StepView, WorkflowView
    from kedro_kubeflow.plan import Plan
    from kedro_kubeflow.plan.estimate import Estimates

NO_IMAGE = "(none is configured)"
_LISTED = 12


@click.command()
@compile_options
@click.option(
    "--output",
    type=click.Choice(["table", "json", "mermaid"]),
    default="table",
    show_default=True,
    help="What is printed; mermaid is a flowchart.",
)
@resume_options
@to_option
@exits
def plan(output: str, **options: Any) -> None:
    """Show what would be submitted: steps, settings, and how data gets from one to another. Needs no server.

    What stops `compile` is said at the end, with its exit code.
    """
    from kedro_kubeflow.cli.output import print_json
    from kedro_kubeflow.cli.plan_view import view_of
    from kedro_kubeflow.plan import make_plan
    from kedro_kubeflow.plan.mermaid import mermaid
    from kedro_kubeflow.targets.base.prepare import compile_for_target, read, stop_unless_forced
    from kedro_kubeflow.targets.base.registry import target_class

    before = Preparation.take(options)
    request = request_from(options, default_image=NO_IMAGE)
    facts, config = read(request)
    target = target_class(facts.target)(facts.project, config)
    request = before.resumed(request, target, lambda asked: make_plan(facts, config, asked))
    made = make_plan(facts, config, request)
    if not target.on_kubernetes:
        # It has no room for all that Kubernetes has, and says so.
        compile_for_target(made, facts.project, config)
    planned = view_of(made, config, on_kubernetes=target.on_kubernetes)
    if output == "json":
        print_json({**asdict(planned), "taken_over": list(made.taken_over), "reasons": dict(made.reasons)})
    elif output == "mermaid":
        click.echo(mermaid(made), nl=False)
    else:
        _print(planned)
        _print_resumed(made)
    stop_unless_forced(facts, config, request, made)


def _print(planned: PlanView) -> None:
    from kedro_kubeflow.cli.output import print_table

    images = dict.fromkeys(step.image for step in planned.steps)
    click.echo(f"{planned.display_name} (pipeline {planned.name!r}, environment {planned.env or 'default'})")
    click.echo(f"Image: {next(iter(images)) if len(images) == 1 else 'by step'}")
    click.echo(f"{_counted(planned)}\n")
    columns = ["", "Step", "Nodes", "After", "Resources", "Retries", "Cache", "Parameters"]
    rows = [_row(step) for step in planned.steps]
    if len(images) > 1:
        columns.insert(2, "Image")
        rows = [[*row[:2], step.image, *row[2:]] for row, step in zip(rows, planned.steps, strict=True)]
    print_table(columns, rows, empty="No steps.")
    click.echo("")
    datasets = [
        (d.dataset, d.how, d.made_by, _listed(d.read_by), d.stored_as or None, d.path or None) for d in planned.datasets
    ]
    print_table(("Dataset", "How", "Made by", "Read by", "Stored as", "Path"), datasets, empty="No datasets.")
    _print_settings(planned)
    if planned.estimates:
        _print_estimates(planned.estimates)
    if planned.workflow:
        click.echo(f"\n{_workflow(planned.workflow)}")
    for note in planned.notes:
        click.echo(note, err=True)


def _counted(planned: PlanView) -> str:
    """The steps, as `compile` counts them, and the plugin's own tasks beside them."""
    steps = sum(bool(step.nodes) for step in planned.steps)
    own = len(planned.steps) - steps
    text = f"{steps} step{'s' * (steps != 1)}"
    return f"{text}, and {own} task{'s' * (own != 1)} of the plugin's own" if own else text


def _print_estimates(estimates: Estimates) -> None:
    """How long a run takes with this grouping, and with those that go by time."""
    from kedro_kubeflow.cli.output import print_table

    chosen = estimates.chosen
    rows = [(e.grouping, e.steps, f"{e.seconds:.0f} s") for e in estimates.others if e.grouping != chosen.grouping]
    rows.insert(0, (f"{chosen.grouping} (chosen)", chosen.steps, f"{chosen.seconds:.0f} s"))
    click.echo("")
    print_table(("Grouping", "Steps", "Estimated run"), rows, empty="")
    untimed = estimates.nodes - estimates.timed
    if untimed:
        click.echo(f"{untimed} of {estimates.nodes} nodes were timed by no run yet (`run-once --local` does).")


def _workflow(size: WorkflowView) -> str:
    """How far the end is."""
    if size.limit is None:
        text = f"Argo's workflow: {size.tasks} tasks, about {size.bytes:,} bytes"
    else:
        text = f"Argo's workflow: {size.tasks} tasks, about {size.bytes:,} of {size.limit:,} bytes"
        text += f" ({size.bytes / size.limit:.0%}); about {size.steps_that_fit} tasks like these fit"
    if not size.states_are_told:
        text += ". Towards its end KFP's API no longer tells each task's state; `status` asks MLflow and the pods then"
    return text


def _print_resumed(made: Plan) -> None:
    """Which steps of the earlier run are taken over, and why the others run."""
    from kedro_kubeflow.cli.output import print_table

    if made.reasons:
        click.echo("")
        rows = [(name, "taken over", None) for name in made.taken_over]
        rows += [(name, "runs", why) for name, why in made.reasons.items()]  # type: ignore[misc]
        print_table(("Step", "", "Why"), rows, empty="")


def _print_settings(planned: PlanView) -> None:
    """Which selector of kubeflow.yml each setting comes from, and for which steps."""
    from kedro_kubeflow.cli.output import print_table

    users: dict[tuple[str, str], list[str]] = {}
    for step in planned.steps:
        for setting, selector in step.origins.items():
            users.setdefault((setting, selector), []).append(step.title)
    if users:
        click.echo("")
        every = len(planned.steps)
        rows = [
            (setting, selector, "all" if len(titles) == every else _listed(titles))
            for (setting, selector), titles in sorted(users.items())
        ]
        print_table(("Setting", "Selector", "Steps"), rows, empty="")


def _row(step: StepView) -> list[object]:
    nodes = _listed(step.nodes)
    return [
        step.order,
        step.title,
        f"{nodes} ({step.runner})" if nodes and step.runner != "sequential" else nodes,
        _listed(step.waits_for),
        _resources(step.resources),
        _retries(step.retries),
        "on" if step.cache else "off",
        _listed(step.parameters),
    ]


def _listed(names: Sequence[str]) -> str | None:
    more = f", … ({len(names)})" if len(names) > _LISTED else ""
    return (", ".join(names[:_LISTED]) + more) or None


def _resources(values: Mapping[str, Any]) -> str | None:
    """Such as `cpu 500m, memory 1Gi to 4Gi, nvidia.com/gpu 1`: what is requested, and the limit where it is another."""
    shown = []
    for name in ("cpu", "memory"):
        bounds = [_amount(values, name, bound) for bound in ("Request", "Limit")]
        given = list(dict.fromkeys(str(bound) for bound in bounds if bound))
        shown += [f"{name} {' to '.join(given)}"] if given else []
    accelerator = values.get("accelerator") or {}
    if accelerator:
        kind, count = (accelerator.get(f"resource{key}") or accelerator[key.lower()] for key in ("Type", "Count"))
        shown.append(f"{kind} {count}")
    return ", ".join(shown) or None


def _amount(values: Mapping[str, Any], name: str, bound: str) -> str | None:
    """As it was written; for Vertex AI, which is told numbers, in cores or in thousands of millions of bytes."""
    number = values.get(f"{name}{bound}")
    written = values.get(f"resource{name.title()}{bound}")
    if written or number is None:
        return str(written) if written else None
    return f"{number:g}" if name == "cpu" else f"{number:.3g} GB"


def _retries(values: Mapping[str, Any]) -> str | None:
    """Such as `2, after 10s`."""
    if not values.get("maxRetryCount"):
        return None
    after = f", after {values['backoffDuration']}" if values.get("backoffDuration") else ""
    return f"{values['maxRetryCount']}{after}"
