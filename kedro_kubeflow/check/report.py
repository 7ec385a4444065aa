"""Check a project before anything is submitted: everything that can be told without the cluster, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kedro_kubeflow.check.configuration import configuration_findings
from kedro_kubeflow.check.data import data_findings
from kedro_kubeflow.check.finding import LEVELS, Finding, Level, from_error
from kedro_kubeflow.check.image import UNSET, image_findings, requirement_findings
from kedro_kubeflow.check.limits import limit_findings
from kedro_kubeflow.check.places import place_findings
from kedro_kubeflow.check.tracking import tracking_findings
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError
from kedro_kubeflow.plan.compile import Source, prepare_source, read_source
from kedro_kubeflow.plan.selection import Selection, selection
from kedro_kubeflow.plan.slicing import select
from kedro_kubeflow.plan.tasks import compiled_tasks
from kedro_kubeflow.project.conf import read_section, unknown_overrides
from kedro_kubeflow.request import Request

AskServer = Callable[[Source], Iterable[Finding]]
"""Asks the server: whether it is reachable, takes the credentials, has the namespace, and is of a version that fits."""


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


def check(request: Request, *, ask_server: AskServer | None = None) -> Report:
    """Check what a request would submit.

    Args:
        ask_server: is asked too, once the configuration can be read.
    """
    findings = _findings(replace(request, default_image=UNSET), ask_server)
    return Report(tuple(sorted(dict.fromkeys(findings), key=lambda finding: LEVELS.index(finding.level))))


def _findings(request: Request, ask_server: AskServer | None) -> Iterator[Finding]:
    try:
        source = read_source(request)
    except KedroKubeflowError as error:
        yield from_error(error)
        return
    for subject in (_compiled(request, source), _read(source), ask_server(source) if ask_server else ()):
        try:
            yield from subject
        except KedroKubeflowError as error:
            yield from_error(error)


def _compiled(request: Request, source: Source) -> Iterator[Finding]:
    prepared = prepare_source(request, source)
    tasks = compiled_tasks(prepared.compiled)
    yield from image_findings(tasks)
    yield from limit_findings(prepared, tasks)


def _read(source: Source) -> Iterator[Finding]:
    yield from data_findings(source)
    yield from place_findings(source, _credentials(source))
    yield from tracking_findings(source)
    yield from configuration_findings(source)
    yield from requirement_findings(source.project.path, tracking=source.tracking)
    yield from _overrides(source)
    yield from _jobs(source)


def _overrides(source: Source) -> Iterator[Finding]:
    """Parameters that are given and that the configuration does not have."""
    known = source.marked.sections.get("parameters") or {}
    for text in unknown_overrides(source.selection.parameters, known, source.marked.asked):
        yield Finding("unknown-parameter", "warning", text, "--params, or kubeflow.yml, jobs")


def _credentials(source: Source) -> Mapping[str, Any]:
    """The credentials as far as they can be read here: the variables that they name may be set in pods only."""
    try:
        found = read_section(source.project.config_loader(), "credentials", missing={})
    except ConfigError:
        return {}
    return dict(found or {})


def _jobs(source: Source) -> Iterator[Finding]:
    """Whether every job still fits the project."""
    known = source.marked.sections.get("parameters") or {}
    for name in source.config.jobs:
        try:
            job = selection(name, Selection(), source.config.jobs, pipelines_asked=False)
            select(job.pipelines, job.part, source.registered)
        except KedroKubeflowError as error:
            yield Finding("job", "error", f"The job {name!r}: {error.what}", "kubeflow.yml, jobs", error.cure)
            continue
        for text in unknown_overrides(job.parameters, known, source.marked.asked):
            yield Finding("job", "warning", f"The job {name!r}: {text}", "kubeflow.yml, jobs")
