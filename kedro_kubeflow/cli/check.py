"""``kedro kubeflow check``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options, request_from
from kedro_kubeflow.cli.output import to_option
from kedro_kubeflow.cli.preparation import code_option
from kedro_kubeflow.errors import ConfigError

if TYPE_CHECKING:
    from kedro_kubeflow.check.finding import Finding
    from kedro_kubeflow.check.report import Report
    from kedro_kubeflow.check.subject import Subject
    from kedro_kubeflow.compiler import CompiledPipeline
    from kedro_kubeflow.targets.base.target import Target

_STYLES = {"error": "red", "warning": "yellow", "info": "cyan"}


@click.command()
@compile_options
@click.option("--server", is_flag=True, help="Ask the server too: reachable, credentials taken, namespace, version.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What is printed."
)
@to_option
@code_option
@exits
def check(server: bool, strict: bool, output: str, with_code: bool | None, **options: Any) -> None:
    """Say what would go wrong on the cluster, before anything is submitted. Exit code 1 where something would."""
    from kedro_kubeflow.check.report import check as check_project
    from kedro_kubeflow.cli.output import print_json
    from kedro_kubeflow.targets.base.prepare import compile_for_target

    report = check_project(
        request_from(options),
        translate=compile_for_target,
        of_target=_of_target,
        ask_server=_ask if server else None,
        travels=with_code,
    )
    if output == "json":
        counts = {f"{level}s": report.count(level) for level in ("error", "warning")}
        print_json({**counts, "findings": [asdict(finding) for finding in report.findings]})
    else:
        _print(report)
    if not report.sound or (strict and report.count("warning")):
        sys.exit(1)


def _ask(subject: Subject) -> Iterable[Finding]:
    return _target(subject).check(tracking=subject.scope.tracking)


def _of_target(subject: Subject, compiled: CompiledPipeline) -> Iterable[Finding]:
    from kedro_kubeflow.check.finding import Finding
    from kedro_kubeflow.cli.schedule_config import configured

    target = _target(subject)
    for text in target.cautions(compiled):
        yield Finding("characters", "warning", text)
    for name, schedule in configured(subject.config).items():
        try:
            target.check_schedule(schedule)
        except ConfigError as error:
            yield Finding("schedule", "error", f"The schedule of {name!r}: {error.what}", error.where, error.cure)


def _target(subject: Subject) -> Target:
    from kedro_kubeflow.targets.base.registry import target_class

    return target_class(subject.facts.target)(subject.facts.project, subject.config)


def _print(report: Report) -> None:
    for finding in report.findings:
        _print_finding(finding)
    counts = [f"{report.count(level)} {level}{'s' * (report.count(level) != 1)}" for level in ("error", "warning")]
    click.echo(", ".join(counts))


def _print_finding(finding: Finding) -> None:
    click.secho(finding.level, fg=_STYLES[finding.level], bold=True, nl=False)
    click.echo(f" {finding.id}: {finding.what}")
    for name, text in (("where", finding.where), ("cure", finding.cure)):
        if text:
            click.echo(f"  {name + ':':6} {text}")
