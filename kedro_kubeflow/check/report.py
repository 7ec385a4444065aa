"""Check a project before anything is submitted: everything that can be told without the cluster, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from kedro_kubeflow.check.classes import class_findings, package_findings
from kedro_kubeflow.check.configuration import configuration_findings
from kedro_kubeflow.check.data import data_findings
from kedro_kubeflow.check.finding import LEVELS, Finding, Level, from_error
from kedro_kubeflow.check.image import UNSET, image_findings, requirement_findings, travel_findings
from kedro_kubeflow.check.limits import limit_findings
from kedro_kubeflow.check.models import model_findings
from kedro_kubeflow.check.reach import known_credentials, reach_findings
from kedro_kubeflow.check.retries import retry_findings
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.check.tracking import tracking_findings
from kedro_kubeflow.check.tracking_login import tracking_login_findings
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.plan import Plan, make_plan
from kedro_kubeflow.plan.scope import scope_of
from kedro_kubeflow.plan.selection import Selection, selection
from kedro_kubeflow.plan.slicing import select
from kedro_kubeflow.project.conf import unknown_overrides
from kedro_kubeflow.project.facts import read_project
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.request import Request

AskServer = Callable[[Subject], Iterable[Finding]]
"""Asks the server: whether it is reachable, takes the credentials, has the namespace, and is of a version that fits."""
Translate = Callable[[Plan, OpenProject, KubeflowConfig], Any]
"""Compiles a plan for its target: a `CompiledPipeline`. It raises what is wrong with it there."""
OfTarget = Callable[[Subject, Any], Iterable[Finding]]
"""What there is to say of a `CompiledPipeline` on its target, and of the configured schedules."""


@dataclass(frozen=True)
class Report:
    """What was found, errors first."""

    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is an error."""
        return not self.count("error")

    def count(self, level: Level) -> int:
        """How many findings of a level there are."""
        return sum(finding.level == level for finding in self.findings)


def check(
    request: Request,
    *,
    translate: Translate,
    of_target: OfTarget | None = None,
    ask_server: AskServer | None = None,
    travels: bool | None = None,
) -> Report:
    """Check what a request would submit.

    Args:
        travels: whether this folder's code goes along with the run; None is what kubeflow.yml says.
        translate: what it raises is a finding.
        of_target: is asked once the pipeline is compiled.
        ask_server: is asked too, once the configuration can be read.
    """
    findings = _findings(replace(request, default_image=UNSET), translate, of_target, ask_server, travels)
    return Report(tuple(sorted(dict.fromkeys(findings), key=lambda finding: LEVELS.index(finding.level))))


def _findings(
    request: Request,
    translate: Translate,
    of_target: OfTarget | None,
    ask_server: AskServer | None,
    travels: bool | None,
) -> Iterator[Finding]:
    try:
        facts, config = read_project(request)
        subject = Subject(facts, config, scope_of(facts, config, request))
    except KedroKubeflowError as error:
        yield from_error(error)
        return
    asked = ask_server(subject) if ask_server else ()
    chosen = config.run_config.travels(travels)
    try:
        plan = make_plan(subject.facts, subject.config, request, subject.scope)
        subject, planned = subject.planned(plan), _planned(plan, subject, translate, of_target, travels=chosen)
    except KedroKubeflowError as error:
        planned = iter((from_error(error),))
    for findings in (planned, _read(subject), asked):
        try:
            yield from findings
        except KedroKubeflowError as error:
            yield from_error(error)


def _planned(
    plan: Plan, subject: Subject, translate: Translate, of_target: OfTarget | None, *, travels: bool
) -> Iterator[Finding]:
    compiled = translate(plan, subject.facts.project, subject.config)
    yield from image_findings(plan.tasks)
    if travels:
        yield from travel_findings((t.image for t in plan.tasks if t.call), subject.facts.project, subject.config)
    yield from limit_findings(plan)
    yield from retry_findings(plan)
    yield from model_findings(subject, plan)
    yield from of_target(subject, compiled) if of_target else ()


def _read(subject: Subject) -> Iterator[Finding]:
    yield from class_findings(subject)
    yield from package_findings(subject)
    yield from data_findings(subject)
    yield from reach_findings(subject, known_credentials(subject))
    yield from tracking_findings(subject)
    yield from tracking_login_findings(subject)
    yield from configuration_findings(subject)
    yield from requirement_findings(subject.facts.project.path, tracking=subject.scope.tracking)
    yield from _imports(subject)
    yield from _overrides(subject)
    yield from _jobs(subject)


def _imports(subject: Subject) -> Iterator[Finding]:
    """Modules of pipelines that Kedro leaves out, with a warning, as they do not import."""
    for failure in subject.facts.import_failures:
        what = f"{failure.said}, and its pipeline is left out: {failure.reason}"
        yield Finding("not-imported", "error", what, failure.where, "install what is missing, or mend it there")


def _overrides(subject: Subject) -> Iterator[Finding]:
    """Parameters that are given and that the configuration does not have."""
    known = subject.facts.marked.sections.get("parameters") or {}
    for text in unknown_overrides(subject.scope.selection.parameters, known, subject.facts.marked.asked):
        yield Finding("unknown-parameter", "warning", text, "--params, or kubeflow.yml, jobs")


def _jobs(subject: Subject) -> Iterator[Finding]:
    """Whether every job still fits the project."""
    known = subject.facts.marked.sections.get("parameters") or {}
    for name in subject.config.jobs:
        try:
            job = selection(name, Selection(), subject.config.jobs, pipelines_asked=False)
            select(job.pipelines, job.part, subject.facts.pipelines)
        except KedroKubeflowError as error:
            yield Finding("job", "error", f"The job {name!r}: {error.what}", "kubeflow.yml, jobs", error.cure)
            continue
        for text in unknown_overrides(job.parameters, known, subject.facts.marked.asked):
            yield Finding("job", "warning", f"The job {name!r}: {text}", "kubeflow.yml, jobs")
