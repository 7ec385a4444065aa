"""The documentation site: Sphinx, with pages in MyST Markdown (https://myst-parser.readthedocs.io/)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE.parent / "kedro_kubeflow/__init__.py").read_text("utf-8"))

project = "kedro-kubeflow"
author = "The kedro-kubeflow authors"
release = VERSION.group(1) if VERSION else ""
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "requirements.txt"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
# Links to headings (`page.md#heading`) are checked while building, for headings down to this level.
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"kedro-kubeflow {release}"
html_show_copyright = False
html_static_path: list[str] = []

# Copying a console block takes the commands alone.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "__init__,__new__"}
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
napoleon_google_docstring = True


def setup(app: Any) -> None:
    """Put the JSON schema of kubeflow.yml beside the page that speaks of it."""

    def copy_schema(app: Any, error: Exception | None) -> None:
        if error is None and app.builder.format == "html":
            schema = "reference/kubeflow.schema.json"
            shutil.copyfile(HERE / schema, Path(app.outdir, schema))

    app.connect("build-finished", copy_schema)
