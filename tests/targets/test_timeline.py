"""How a run spent its time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from kedro_project import KedroProject, make_project

from kedro_kubeflow.targets.base.run import Run, Step
from kedro_kubeflow.targets.base.timeline import timeline

DOCS = Path(__file__).parents[2] / "docs"
ZERO = datetime(2026, 1, 1, tzinfo=timezone.utc)


def at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


def step(name: str, begin: float, end: float) -> Step:
    return Step(name=name, display_name=name, state="SUCCEEDED", started_at=at(begin), finished_at=at(end))


def said(process: float, begin: float, end: float, **nodes: float) -> dict[str, Any]:
    moments = {"process": process, "begin": begin, "end": end}
    return {**{key: at(value).timestamp() for key, value in moments.items()}, "nodes": nodes}


RUN = Run(
    id="r",
    name="the run",
    state="SUCCEEDED",
    created_at=at(0),
    finished_at=at(62),
    steps=(
        step("first", 1, 20),
        step("short", 21, 30),
        step("long", 21, 40),
        step("last", 41, 60),
        Step(name="never", display_name="never", state="SKIPPED"),
    ),
)
TIMES = {
    "first": said(11, 14, 15, a=1.0),
    "short": said(22, 25, 29, b=4.0),
    "long": said(31, 35, 39, c=4.0),
    "last": said(51, 54, 58, d=4.0),
}


def test_the_phases_of_a_step() -> None:
    bar = timeline(RUN, TIMES, kind="pods").bars[0]
    assert [(span.phase, span.begin, span.end) for span in bar.spans] == [
        ("waiting", 1, 11),
        ("starting", 11, 14),
        ("nodes", 14, 15),
        ("ending", 15, 20),
    ]
    assert bar.nodes == {"a": 1.0}


def test_the_decisive_steps_and_what_would_save_time() -> None:
    made = timeline(RUN, TIMES, kind="pods")
    assert [bar.step for bar in made.bars if bar.decisive] == ["first", "long", "last"]
    assert (made.seconds, made.of("nodes"), made.of("waiting")) == (62, 9, 30)
    assert len(made.bars) == 4, "what never ran took no time"
    (advice,) = made.advice
    # 57 s of three steps, 9 s of them nodes: 16 s a step, of which one stays.
    assert advice.startswith(
        "Fewer steps one after the other (`grouping: auto` or `chain`) could save up to 32 s: 3 decided"
    )


@pytest.mark.parametrize(("kind", "cure"), [("processes", "local.isolation: fork"), ("forks", "With `grouping`")])
def test_on_this_machine_it_is_python_that_takes_long(kind: Any, cure: str) -> None:
    (advice,) = timeline(RUN, TIMES, kind=kind).advice
    assert advice.startswith("Most of it is starting Python: 10.0 s")
    assert cure in advice


def test_a_step_that_has_said_nothing_is_one_span() -> None:
    made = timeline(RUN, {}, kind="pods")
    assert {span.phase for bar in made.bars for span in bar.spans} == {"unknown"}
    assert made.advice == ()


def test_clocks_that_differ_and_steps_that_failed_before_their_nodes() -> None:
    odd = {"first": said(-5, 14, 900), "long": {"process": at(30).timestamp(), "nodes": {}}}
    made = timeline(RUN, odd, kind="pods")
    for bar in made.bars:
        assert bar.spans[0].begin >= 0
        assert all(one.end == other.begin for one, other in zip(bar.spans, bar.spans[1:], strict=False))
    assert made.bars[0].spans[-1].end == 20
    (long,) = (bar for bar in made.bars if bar.step == "long")
    assert (long.seconds("nodes"), long.seconds("starting")) == (0, 0)


def test_a_step_waits_from_the_moment_when_its_turn_came() -> None:
    """On Kubeflow a driver's pod goes before that of the step."""
    driven = replace(RUN, steps=tuple(replace(s, turn_at=at(11)) if s.name == "short" else s for s in RUN.steps))
    (short,) = (bar for bar in timeline(driven, TIMES, kind="pods").bars if bar.step == "short")
    assert (short.begin, short.seconds("waiting")) == (11, 11)


def test_what_kubeflow_does_not_tell_the_steps_do() -> None:
    """Of large runs the API knows neither states nor times to the end."""
    told = Run(id="r", name="r", state="SUCCEEDED", created_at=at(0), finished_at=at(62), steps=(RUN.steps[0], late()))
    made = timeline(told, TIMES, kind="pods")
    assert [(bar.step, bar.begin, bar.end) for bar in made.bars] == [("first", 1, 20), ("last", 51, 58)]
    assert made.bars[1].seconds("waiting") == 0
    assert [bar.step for bar in timeline(told, {}, kind="pods").bars] == ["first"]


def late() -> Step:
    return Step(name="last", display_name="last", state="UNKNOWN")


def test_the_plugins_own_tasks_are_no_steps_to_be_saved() -> None:
    own = {"first": "mlflow-start-run", "last": "mlflow-end-run"}
    steps = tuple(replace(s, display_name=own.get(s.display_name, s.display_name)) for s in RUN.steps)
    times = {own.get(name, name): said for name, said in TIMES.items()}
    assert timeline(replace(RUN, steps=steps), times, kind="pods").advice == ()


def test_a_run_in_which_nothing_has_begun() -> None:
    assert timeline(Run(id="r", name="r", state="PENDING"), {}, kind="pods").bars == ()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    """A project in which a run has left what runs on this machine leave."""
    project = make_project(tmp_path_factory.mktemp("timeline"))
    run = project.path / ".kubeflow/runs/local-20260101-000000-abc"
    (run / "times").mkdir(parents=True)
    steps = [
        {"step": s.display_name, "state": "SUCCEEDED", "seconds": 1.0, "log": None, "outputs": {}}
        | {"started_at": s.started_at.isoformat(), "finished_at": s.finished_at.isoformat()}
        for s in RUN.steps
        if s.started_at and s.finished_at
    ]
    facts = {"name": "the <run>", "pipeline": "demo", "state": "SUCCEEDED", "mlflow": {}, "steps": steps}
    moments = {"created_at": at(0).isoformat(), "finished_at": at(62).isoformat()}
    (run / "run.json").write_text(json.dumps({**facts, **moments}))
    for name, times in TIMES.items():
        (run / "times" / f"{name}.json").write_text(json.dumps(times))
    return project


def test_bars_in_the_terminal(project: KedroProject) -> None:
    printed = project.kubeflow("status", "local-20260101-000000-abc", "--timeline", env={"COLUMNS": "80"}).ok().out
    lines = printed.splitlines()
    assert "the <run>: 62.0 s" in lines
    (first,) = (line for line in lines if line.startswith("* first"))
    assert "19.0 s" in first
    assert first.index("·") < first.index("░") < first.index("█") < first.index("▒")
    assert any(line.startswith("  short") for line in lines)
    assert max(map(len, lines[:5])) <= 80


def test_a_page_that_needs_no_network(project: KedroProject) -> None:
    project.kubeflow("status", "local-20260101-000000-abc", "--timeline", "page.html").ok()
    text = (project.path / "page.html").read_text("utf-8")
    assert "the &lt;run&gt;: 62.0 s" in text
    assert "prefers-color-scheme: dark" in text
    assert re.findall(r">([^<]+ s)</span>", text) == ["10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]
    for mark in ("http:", "https:", "src=", "<link", "<script", "@import", "url("):
        assert mark not in text
    parser = _Widths()
    parser.feed(text)
    assert len(parser.widths) == 16
    assert sum(parser.widths[:4]) == pytest.approx(100 * 19 / 62, abs=0.1)


class _Widths(HTMLParser):
    """The widths of the spans of bars, in per cent of the run."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: list[float] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = dict(attrs).get("style") or ""
        if tag == "span" and "width:" in style:
            self.widths.append(float(style.split("width:")[1].split("%")[0]))


def test_json_for_programs(project: KedroProject) -> None:
    done = project.kubeflow("status", "local-20260101-000000-abc", "--timeline", "--output", "json").ok()
    made = json.loads(done.out[done.out.index("{\n") :])
    jsonschema.validate(made, json.loads((DOCS / "reference/output/status-timeline.schema.json").read_text("utf-8")))
    assert [bar["step"] for bar in made["bars"]] == ["first", "short", "long", "last"]


def test_a_page_where_none_can_be(project: KedroProject, tmp_path: Path) -> None:
    words = ("status", "local-20260101-000000-abc", "--timeline", str(tmp_path / "no/such/folder.html"))
    assert "No such file or directory" in project.kubeflow(*words).failed().text
