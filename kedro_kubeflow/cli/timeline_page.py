"""A run's time as one page that needs no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from kedro_kubeflow.targets.base.timeline import Bar, Timeline

_STYLE = """
:root { color-scheme: light dark; --text: #222; --soft: #666; --page: #fff; --rail: #f1f1f4; --line: #d5d5dc;
  --waiting: #c3c3cc; --starting: #eda650; --nodes: #2f74d0; --ending: #6fb287; --unknown: #8f88bd; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6ea; --soft: #a3a3ad; --page: #17181c; --rail: #24262c;
  --line: #3a3d46; --waiting: #5f6270; --starting: #c98832; --nodes: #5b9bf0; --ending: #4f9469; --unknown: #8a82c4; } }
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: var(--text); background: var(--page); }
h1 { font-size: 1.3em; overflow-wrap: anywhere; } p { max-width: 70em; }
.bars { display: grid; grid-template-columns: fit-content(40vw) max-content minmax(16em, 1fr); gap: 4px 1em; }
.bars > * { align-self: center; }
.bars > .axis { grid-column: 3; }
.name { overflow-wrap: anywhere; }
.name small { display: block; color: var(--soft); }
.decisive { font-weight: 700; } .decisive small { font-weight: normal; }
.seconds { white-space: nowrap; text-align: right; font-variant-numeric: tabular-nums; }
.rail { position: relative; height: 1.2em; background: var(--rail); }
.rail span, .axis span { position: absolute; top: 0; bottom: 0; }
.rail span { min-width: 1px; } .rail i { position: absolute; top: -2px; bottom: -2px; width: 1px; background: var(--line); }
.axis { position: relative; height: 1.5em; color: var(--soft); font-size: .85em; }
.axis span { transform: translateX(-50%); white-space: nowrap; }
.axis span:first-child { transform: none; }
@media (max-width: 800px) { .axis span:not(:nth-child(3n + 1)) { display: none; } }
.key { display: flex; flex-wrap: wrap; gap: .3em 1.6em; padding: 0; list-style: none; }
.key i { display: inline-block; width: 1em; height: 1em; margin-right: .5em; vertical-align: -2px; }
.advice { font-weight: 600; }
"""
_MOST_TICKS = 10
_ROUND = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)


def page(made: Timeline) -> str:
    """The page's text."""
    whole = max(made.seconds, 0.001)
    ticks = list(_ticks(whole))
    rows = "\n".join(_row(bar, made, ticks) for bar in made.bars)
    axis = "".join(f'<span style="left:{at / whole:.3%}">{_moment(at, whole)}</span>' for at in ticks)
    key = "".join(
        f'<li><i style="background:var(--{phase})"></i>{escape(meaning)}: {made.of(phase):.1f} s</li>'
        for phase, meaning in made.phases.items()
    )
    advice = "".join(f'<p class="advice">{_code(line)}</p>' for line in made.advice)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(made.name)}</title><style>{_STYLE}</style></head>
<body><h1>{escape(made.name)}: {made.seconds:.1f} s</h1>
<div class="bars">
<div class="axis">{axis}</div>
{rows}
</div>
<p>In bold the steps that decided how long the run took. Of their time:</p>
<ul class="key">{key}</ul>
{advice if made.bars else _EMPTY}
</body></html>
"""


_EMPTY = "<p>No step of the run has begun and ended yet.</p>"


def _ticks(whole: float) -> Iterator[float]:
    """Round moments, few enough that their texts do not meet."""
    between = next((one for one in _ROUND if whole / one <= _MOST_TICKS), _ROUND[-1])
    at = 0
    while at <= whole * 0.97:
        yield float(at)
        at += between


def _moment(seconds: float, whole: float) -> str:
    """Such as `0`, `40 s`, or in longer runs `1:30 min`, in the longest `2:00 h`."""
    if seconds == 0:
        return "0"
    if whole < 120:
        return f"{seconds:g} s"
    unit, length = ("h", 3600) if whole >= 7200 else ("min", 60)
    return f"{int(seconds // length)}:{int(seconds % length * 60 / length):02} {unit}"


def _row(bar: Bar, made: Timeline, ticks: list[float]) -> str:
    whole = max(made.seconds, 0.001)
    lines = "".join(f'<i style="left:{at / whole:.3%}"></i>' for at in ticks)
    spans = "".join(
        f'<span style="left:{span.begin / whole:.3%};width:{span.seconds / whole:.3%};background:var(--{span.phase})" '
        f'title="{escape(made.phases[span.phase])}: {span.seconds:.1f} s"></span>'
        for span in bar.spans
        if span.seconds
    )
    kind = "name decisive" if bar.decisive else "name"
    return (
        f'<div class="{kind}">{escape(bar.step)}{_nodes(bar)}</div>'
        f'<div class="seconds">{bar.end - bar.begin:.1f} s</div><div class="rail">{lines}{spans}</div>'
    )


def _code(line: str) -> str:
    """A line with what stands in backticks as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(line))


def _nodes(bar: Bar) -> str:
    """The nodes that share the step, with their times."""
    if len(bar.nodes) < 2 and bar.step in bar.nodes:
        return ""
    nodes = ", ".join(f"{escape(name)} {seconds:.1f} s" for name, seconds in bar.nodes.items())
    return f"<small>{nodes}</small>" if nodes else ""
