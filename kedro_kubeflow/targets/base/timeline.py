"""How a run spent its time: for each step waiting, starting Python, nodes, the end; and what would save most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

from kedro_kubeflow.targets.base.run import Run, Step

Phase = Literal["waiting", "starting", "nodes", "ending", "unknown"]
Kind = Literal["pods", "processes", "forks"]
"""What the steps of a run are."""
PHASES: Mapping[Phase, str] = {
    "waiting": "waiting for its pod or process",
    "starting": "starting Python, opening the project",
    "nodes": "nodes",
    "ending": "storing and uploading, the end",
    "unknown": "the whole step",
}


@dataclass(frozen=True)
class Span:
    """A part of a step's time, in seconds since the run's beginning."""

    phase: Phase
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


@dataclass(frozen=True)
class Bar:
    """A step's time.

    Attributes:
        decisive: whether the run would have ended sooner, had the step.
        nodes: seconds of each node, where the step has said so.
    """

    step: str
    spans: tuple[Span, ...]
    decisive: bool
    nodes: Mapping[str, float]

    @property
    def begin(self) -> float:
        """When its turn came."""
        return self.spans[0].begin

    @property
    def end(self) -> float:
        """When it was over."""
        return self.spans[-1].end

    def seconds(self, *phases: Phase) -> float:
        """Seconds in some phases."""
        return sum(span.seconds for span in self.spans if span.phase in phases)


@dataclass(frozen=True)
class Timeline:
    """A run's time.

    Attributes:
        seconds: from the run's beginning to its end, or to that of its last step.
        advice: what would save time, most first.
    """

    name: str
    seconds: float
    bars: tuple[Bar, ...]
    advice: tuple[str, ...]

    def of(self, *phases: Phase) -> float:
        """Seconds that the decisive steps spent in some phases."""
        return sum(bar.seconds(*phases) for bar in self.bars if bar.decisive)


def timeline(run: Run, times: Mapping[str, Mapping[str, Any]], *, kind: Kind) -> Timeline:
    """The timeline of a run.

    Args:
        times: by a step's display name what it has said of itself: ``process``, ``begin``, ``end`` (seconds since the epoch) and
            the seconds of its ``nodes``. A step that has said nothing is one span.
        kind: what the steps are.
    """
    ran = [step for step in run.steps if step.started_at and step.finished_at]
    zero = min((m.timestamp() for m in (run.created_at, *(s.started_at for s in ran)) if m), default=0.0)
    spans = {step.display_name: _spans(step, times.get(step.display_name, {}), zero) for step in ran}
    decisive = _decisive(spans)
    bars = tuple(
        Bar(name, spans[name], name in decisive, dict(times.get(name, {}).get("nodes") or {}))
        for name in sorted(spans, key=lambda name: (spans[name][0].begin, spans[name][-1].end))
    )
    end = max(
        [bar.end for bar in bars] + ([run.finished_at.timestamp() - zero] if run.finished_at else []), default=0.0
    )
    made = Timeline(run.name, end, bars, ())
    return Timeline(run.name, end, bars, tuple(_advice(made, kind)))


def _spans(step: Step, said: Mapping[str, Any], zero: float) -> tuple[Span, ...]:
    begin, end = (_since(moment, zero) for moment in (step.started_at, step.finished_at))
    end = max(begin, end)
    if not said.get("process"):
        return (Span("unknown", begin, end),)
    marks = [begin]
    for key in ("process", "begin", "end"):
        # Clocks of nodes differ, and the API tells whole seconds.
        marks.append(min(max(float(said.get(key) or marks[-1] + zero) - zero, marks[-1]), end))
    phases: Sequence[Phase] = ("waiting", "starting", "nodes", "ending")
    if not said.get("begin"):
        phases = ("waiting", "starting", "starting", "ending")
    return tuple(Span(phase, *ends) for phase, ends in zip(phases, pairwise([*marks, end]), strict=True))


def _since(moment: datetime | None, zero: float) -> float:
    return moment.timestamp() - zero if moment else 0.0


def _decisive(spans: Mapping[str, tuple[Span, ...]]) -> set[str]:
    """The steps of which each began when the one before it was over, back from the one that ended last."""
    found: set[str] = set()
    left = dict(spans)
    while left:
        last = max(left, key=lambda name: left[name][-1].end)
        found.add(last)
        # Whoever waited for another step began after it; a second is what the API's times are worth.
        begin = left.pop(last)[0].begin
        left = {name: own for name, own in left.items() if own[-1].end <= begin + 1.0 and own[0].begin < begin}
    return found


def _advice(made: Timeline, kind: Kind) -> list[str]:
    steps = [bar for bar in made.bars if bar.decisive]
    lost, nodes = made.of("waiting", "starting", "ending"), made.of("nodes")
    if len(steps) < 2 or lost < 1.0 or lost < nodes:
        return []
    each = lost / len(steps)
    if kind == "pods":
        return [
            f"`grouping: auto` or `chain` could save up to {each * (len(steps) - 1):.0f} s: {len(steps)} steps one after the "
            f"other decided how long the run took, and each spent {each:.0f} s beside its nodes"
        ]
    starting = made.of("starting")
    return [
        f"Most of it is starting Python: {starting:.1f} s of the decisive steps, nodes {nodes:.1f} s. {_CURES[kind]}"
    ]


_CURES = {
    "processes": "`local.isolation: fork` imports libraries once; with `grouping` there are fewer steps.",
    "forks": "With `grouping` there are fewer steps.",
}
