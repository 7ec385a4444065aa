"""Which libraries a project's code imports, as its source says: what a fork server imports before any step was seen to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_MOST_FILES = 500
_DATABASE = re.compile(r"^\s*mlflow_tracking_uri:\s*['\"]?(sqlite|postgresql|mysql|mssql)", re.MULTILINE)
_COMMANDS = frozenset({"__main__.py", "cli.py"})


def source_imports(project: Path) -> list[str]:
    """The modules that the code in ``src`` imports, in functions too, without its own; each once, as they come.

    What is for command lines and type checkers alone is left out, and so are files that cannot be read, and Kedro.
    """
    source = project / "src"
    left_out = {"kedro", *(path.stem for path in source.iterdir())} if source.is_dir() else set()
    files = sorted(file for file in source.rglob("*.py") if file.name not in _COMMANDS)[:_MOST_FILES]
    found = dict.fromkeys(name for file in files for name in _in_file(file))
    return [name for name in found if name.partition(".")[0] not in left_out]


def store_imports(project: Path) -> list[str]:
    """MLflow's own store, where the configuration in ``conf`` names a database: each step would import it."""
    files = [file for file in project.glob("conf/*/mlflow*.y*ml") if file.is_file()]
    in_database = any(_DATABASE.search(file.read_text("utf-8", errors="replace")) for file in files)
    return ["mlflow.store.tracking.sqlalchemy_store"] if in_database else []


def _in_file(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    yield from _in_nodes(tree.body)


def _in_nodes(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _in_nodes(node.orelse)
        elif not isinstance(node, ast.Try):
            # What may fail is tried by the step itself.
            yield from _in_nodes(ast.iter_child_nodes(node))
