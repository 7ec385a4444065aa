"""How a run spent its time: for each step waiting, starting Python, nodes, the end; and what would save most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from kedro_kubeflow import names
from kedro_kubeflow.targets.base.run import Run, Step

Phase = Literal["waiting", "starting", "nodes", "ending", "unknown"]
Kind = Literal["pods", "processes", "forks"]
"""What the steps of a run are."""
PHASES: Mapping[Phase, str] = {
    "waiting": "waiting for its process",
    "starting": "starting Python, opening the project",
    "nodes": "nodes",
    "ending": "storing, the end",
    "unknown": "the whole step",
}
_OF_PODS: Mapping[Phase, str] = {
    "waiting": "waiting for its pods",
    "ending": "storing and uploading, until Argo sees the end (it looks every 10 s)",
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
        kind: what its steps are.
        advice: what would save time, most first.
    """

    name: str
    seconds: float
    kind: Kind
    bars: tuple[Bar, ...]
    advice: tuple[str, ...] = ()

    @property
    def phases(self) -> dict[Phase, str]:
        """What each phase that there is means, in the order in which they follow."""
        words = {**PHASES, **(_OF_PODS if self.kind == "pods" else {})}
        return {phase: words[phase] for phase in PHASES if any(bar.seconds(phase) for bar in self.bars)}

    def of(self, *phases: Phase) -> float:
        """Seconds that the decisive steps spent in some phases."""
        return sum(bar.seconds(*phases) for bar in self.bars if bar.decisive)


def timeline(run: Run, times: Mapping[str, Mapping[str, Any]], *, kind: Kind) -> Timeline:
    """The timeline of a run.

    Args:
        times: by a step's display name what it has said of itself: ``process``, ``begin``, ``end`` (seconds since the epoch) and
            the seconds of its ``nodes``. A step that has said nothing is one span; of one whose times are told by nobody else,
            as in large runs on Kubeflow, it counts from its process on.
        kind: what the steps are.
    """
    ran = {s.display_name: ends for s in run.steps if (ends := _ends(s, times.get(s.display_name, {}))) is not None}
    created = [run.created_at.timestamp()] if run.created_at else []
    zero = min((*created, *(begin for begin, _ in ran.values())), default=0.0)
    spans = {name: _spans(ends, times.get(name, {}), zero) for name, ends in ran.items()}
    decisive = _decisive(spans)
    bars = tuple(
        Bar(name, spans[name], name in decisive, dict(times.get(name, {}).get("nodes") or {}))
        for name in sorted(spans, key=lambda name: (spans[name][0].begin, spans[name][-1].end))
    )
    end = max(
        [bar.end for bar in bars] + ([run.finished_at.timestamp() - zero] if run.finished_at else []), default=0.0
    )
    made = Timeline(run.name, end, kind, bars)
    return replace(made, advice=tuple(_advice(made)))


def _ends(step: Step, said: Mapping[str, Any]) -> tuple[float, float] | None:
    """When a step began and ended, in seconds since the epoch; None where it has not, or nobody tells."""
    begin, end = step.turn_at or step.started_at, step.finished_at
    first = begin.timestamp() if begin else said.get("process")
    last = end.timestamp() if end else said.get("end")
    return (float(first), float(last)) if first and last else None


def _spans(ends: tuple[float, float], said: Mapping[str, Any], zero: float) -> tuple[Span, ...]:
    begin, end = (moment - zero for moment in ends)
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


def _advice(made: Timeline) -> list[str]:
    # What the plugin does around the steps is there with any grouping.
    steps = [bar for bar in made.bars if bar.decisive and bar.step not in names.TASKS]
    lost = sum(bar.seconds("waiting", "starting", "ending") for bar in steps)
    if len(steps) < 2 or lost < 1.0 or lost < sum(bar.seconds("nodes") for bar in steps):
        return []
    each = lost / len(steps)
    if made.kind == "pods":
        return [
            f"Fewer steps one after the other (`grouping: auto` or `chain`) could save up to {each * (len(steps) - 1):.0f} s: "
            f"{len(steps)} decided how long the run took, and each spent {each:.0f} s beside its nodes"
        ]
    nodes = made.of("nodes")
    starting = made.of("starting")
    return [
        f"Most of it is starting Python: {starting:.1f} s of the decisive steps, nodes {nodes:.1f} s. {_CURES[made.kind]}"
    ]


_CURES = {
    "processes": "`local.isolation: fork` imports libraries once; with `grouping` there are fewer steps.",
    "forks": "With `grouping` there are fewer steps.",
}
