"""A run's time as one page that needs no network."""

from __future__ import annotations

from html import escape

from kedro_kubeflow.targets.base.timeline import PHASES, Bar, Phase, Timeline

_COLOURS: dict[Phase, str] = {
    "waiting": "#d9d9d9",
    "starting": "#f2b366",
    "nodes": "#3b7dd8",
    "ending": "#9ac3a6",
    "unknown": "#8c8cb3",
}
_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
h1 { font-size: 1.3em; } p { max-width: 70em; }
.row { display: flex; align-items: center; margin: 2px 0; }
.name { width: 22em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; padding-right: 1em; }
.decisive .name { font-weight: 600; }
.seconds { width: 6em; text-align: right; padding-right: 1em; font-variant-numeric: tabular-nums; }
.bar { position: relative; flex: 1; height: 1.2em; background: #f6f6f6; }
.bar span { position: absolute; top: 0; bottom: 0; min-width: 1px; }
.key span { display: inline-block; width: 1em; height: 1em; margin: 0 .4em 0 1.2em; vertical-align: -2px; }
"""


def page(made: Timeline) -> str:
    """The page's text."""
    rows = "\n".join(_row(bar, max(made.seconds, 0.001)) for bar in made.bars)
    used = [phase for phase in PHASES if any(bar.seconds(phase) for bar in made.bars)]
    key = "".join(
        f'<span style="background:{_COLOURS[p]}"></span>{escape(PHASES[p])}: {made.of(p):.1f} s' for p in used
    )
    advice = "".join(f"<p>{escape(line)}</p>" for line in made.advice)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(made.name)}</title><style>{_STYLE}</style></head>
<body><h1>{escape(made.name)}: {made.seconds:.1f} s</h1>
{rows}
<p class="key">{key}</p>
<p>In bold the steps that decided how long the run took; the seconds below the bars are theirs.</p>
{advice}
</body></html>
"""


def _row(bar: Bar, whole: float) -> str:
    spans = "".join(
        f'<span style="left:{span.begin / whole:.3%};width:{span.seconds / whole:.3%};background:{_COLOURS[span.phase]}" '
        f'title="{escape(PHASES[span.phase])}: {span.seconds:.1f} s"></span>'
        for span in bar.spans
    )
    nodes = ", ".join(f"{name}: {seconds:.1f} s" for name, seconds in bar.nodes.items())
    kind = "row decisive" if bar.decisive else "row"
    return (
        f'<div class="{kind}"><div class="name" title="{escape(nodes)}">{escape(bar.step)}</div>'
        f'<div class="seconds">{bar.end - bar.begin:.1f} s</div><div class="bar">{spans}</div></div>'
    )
