"""What stops a command: errors that would not be seen in the run, as it would end well with wrong values or not end at all."""

from __future__ import annotations

from kedro_kubeflow.check.classes import class_findings
from kedro_kubeflow.check.data import data_findings
from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.check.limits import size_findings
from kedro_kubeflow.check.models import model_findings
from kedro_kubeflow.check.reach import known_credentials, reach_findings
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.errors import CompileError
from kedro_kubeflow.plan import Plan

STOPPING = frozenset(
    {
        "same-path",
        "place-unknown",
        "opened-in-place",
        "local-database",
        "pipeline-ml",
        "no-such-class",
        "no-such-argument",
    }
)


def wrong_values(subject: Subject, plan: Plan) -> list[Finding]:
    """What would give wrong values in silence."""
    subject = subject.planned(plan)
    findings = [*class_findings(subject), *data_findings(subject), *model_findings(subject, plan)]
    if any(
        handed.kind == "external" and subject.read_elsewhere(name) for name, handed in subject.scope.handoffs.items()
    ):
        # Reading the credentials takes a while.
        findings += reach_findings(subject, known_credentials(subject))
    return [f for f in findings if f.level == "error" and f.id in STOPPING]


def stop_on_size(plan: Plan) -> None:
    """Refuse what Argo would give up in the middle, with no word of why.

    Raises:
        CompileError: it says how many steps fit, and the cure.
    """
    for finding in size_findings(plan):
        if finding.level == "error":
            raise CompileError(
                finding.what, where=finding.where, cure=f"{finding.cure}. --force goes on in spite of it"
            )


def stop_on_wrong_values(subject: Subject, plan: Plan) -> None:
    """Refuse what would give wrong values in silence.

    Raises:
        CompileError: it names the first, and how many there are beside.
    """
    if found := wrong_values(subject, plan):
        more = f" ({len(found) - 1} more: `kedro kubeflow check`)" if len(found) > 1 else ""
        raise CompileError(
            f"{found[0].what}{more}", where=found[0].where, cure=f"{found[0].cure}. --force goes on in spite of it"
        )
