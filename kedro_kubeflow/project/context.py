"""The project's Kedro context, where a command cannot do without what plugins set up when it loads."""

from __future__ import annotations

from typing import Any

from kedro_kubeflow.project.opening import OpenProject


def load_context(project: OpenProject) -> None:
    """Load it once, with all hooks: kedro-mlflow then sets address and credentials of MLflow up for this process.

    Raises:
        Exception: whatever a hook of the project raises.
    """
    from kedro.framework.session import KedroSession

    session: Any = KedroSession.create(
        project_path=project.path, save_on_close=False, env=project.env, conf_source=project.conf_source
    )
    with session:
        session.load_context()
