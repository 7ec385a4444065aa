"""The pages of the reference that are written from the code; `tests/docs/test_reference.py` keeps them current."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator

import click
from pydantic import TypeAdapter

from kedro_kubeflow import errors
from kedro_kubeflow.cli import kubeflow
from kedro_kubeflow.cli.schemas import RESULTS

WRITTEN = "<!-- Written from the code: REGENERATE=1 pytest tests/docs/test_reference.py -->"
PROGRAM = "kedro kubeflow"

_CLI_INTRO = """\
Every command works in the folder of a Kedro project, or in a folder below it. What a command gives goes to standard output;
what it says beside that, and errors, go to standard error. Kedro's own log may go to standard output too, which it does not with
`kedro-kubeflow COMMAND`: see [](../how-to/continuous-deployment.md#output-for-scripts).

`kedro kubeflow COMMAND --help` prints the same as this page. [](exit-codes.md) says how commands end.
"""

_EXIT_INTRO = """\
Every command of `kedro kubeflow`, and every step in its pod, ends with one of these codes. An error says what is wrong, where,
and the cure; the code says which kind it was, for scripts.

<!-- exits: 2, 0 -->
```console
$ kedro kubeflow compile --pipeline data_sceince
…
Error: The project has no pipeline 'data_sceince'. Did you mean 'data_science' or 'data_processing'?
  cure:  `kedro registry list` shows all of them
$ echo $?
2
```
"""

# What is not raised as an error of ours, beside those that are.
_BESIDE = {
    0: [("", "Success. For a command that waits for a run: the run succeeded.")],
    1: [("", "Anything that is not foreseen. It comes with a traceback: please report it.")],
    2: [("", "The command line is wrong: an unknown option, a missing argument.")],
    130: [("", "Interrupted (Ctrl-C).")],
    143: [("", "A step's process was told to end (SIGTERM), as when a run is terminated.")],
}


def cli_page() -> str:
    """Every command with its options, from the click commands."""
    context = click.Context(kubeflow, info_name=PROGRAM, **kubeflow.context_settings)
    lines = [WRITTEN, "", "# Commands", "", _CLI_INTRO]
    for name in kubeflow.list_commands(context):
        command = kubeflow.get_command(context, name)
        if command and not command.hidden:
            lines += _command(command, click.Context(command, info_name=name, parent=context))
    return "\n".join(lines).rstrip() + "\n"


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from (f"## {context.info_name}", "", *_paragraphs(command.help or ""), "")
    yield from (
        "```text",
        " ".join([PROGRAM, str(context.info_name), *command.collect_usage_pieces(context)]),
        "```",
        "",
    )
    records = [p.get_help_record(context) for p in command.get_params(context) if isinstance(p, click.Option)]
    rows = [record for record in records if record and record[0] != "-h, --help"]
    if rows:
        yield from ("| Option | |", "|---|---|")
        yield from (f"| {_names(names)} | {_cell(text)} |" for names, text in rows)
        yield ""


def _paragraphs(text: str) -> list[str]:
    """A command's help; click's mark for text that must not be filled becomes a block."""
    shown = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            shown += ["```text", *paragraph[2:].splitlines(), "```", ""]
        else:
            shown += [*paragraph.splitlines(), ""]
    return shown[:-1]


def _names(names: str) -> str:
    return ", ".join(
        "`" + name.strip().replace("|", r"\|") + "`" for name in re.split(r", (?=-)|(?<=\S) / (?=-)", names)
    )


def _cell(text: str) -> str:
    # As code: underscores at both ends would be bold.
    shown = re.sub(r"\[default: ([^;\]]+)", r"[default: `\1`", " ".join(text.split()))
    return shown.replace("|", r"\|")


def schemas() -> Iterator[tuple[str, str]]:
    """A JSON schema for each command with ``--output json``: the name of its file, and the text."""
    for name, form in RESULTS.items():
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{PROGRAM} {name} --output json",
            **TypeAdapter(form).json_schema(),
        }
        yield f"{name.replace(' --', '-')}.schema.json", json.dumps(schema, indent=2) + "\n"


def output_page() -> str:
    """Where the schemas are."""
    files = [file for file, _ in schemas()]
    rows = [f"- [`{PROGRAM} {name}`](output/{file})" for name, file in zip(RESULTS, files, strict=True)]
    intro = (
        "What `--output json` gives, as a JSON schema a command. Keys that stand there are there on every target, and stay;\n"
        "a target may add keys of its own. Moments are in UTC. States are in capitals everywhere."
    )
    return "\n".join([WRITTEN, "", "# Results as JSON", "", intro, "", *rows]) + "\n"


def exit_codes_page() -> str:
    """Exit codes by number, from the tree of errors."""
    by_code: dict[int, list[tuple[str, str]]] = {code: list(rows) for code, rows in _BESIDE.items()}
    for error in _tree(errors.KedroKubeflowError):
        by_code.setdefault(error.exit_code, []).insert(0, (error.__name__, _first_line(error)))
    lines = [WRITTEN, "", "# Exit codes", "", _EXIT_INTRO, "| Code | Error | When |", "|---|---|---|"]
    for code, rows in sorted(by_code.items()):
        rows = [row for row in rows if row[0] != "KedroKubeflowError"]
        lines += [
            f"| {code} | {f'`{name}`' if name else ''} | {_cell(text)} |" for name, text in sorted(rows, key=_named)
        ]
    lines += [
        "",
        "In Python all of them are `kedro_kubeflow.KedroKubeflowError`, with `what`, `where`, `cure` and `exit_code`.",
    ]
    return "\n".join(lines) + "\n"


def _tree(root: type[errors.KedroKubeflowError]) -> Iterator[type[errors.KedroKubeflowError]]:
    yield root
    for child in root.__subclasses__():
        # Errors of single rooms are raised as their parents; what has a name here is what people may rely on.
        if child.__module__ == errors.__name__:
            yield from _tree(child)


def _first_line(error: type[BaseException]) -> str:
    return (inspect.getdoc(error) or "").splitlines()[0]


def _named(row: tuple[str, str]) -> tuple[bool, str]:
    return (not row[0], row[0])
