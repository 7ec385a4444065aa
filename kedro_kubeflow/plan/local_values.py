"""What tasks are told of parameters that come from conf/local, which their images do not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kedro_kubeflow.contract import LOCAL_VALUES
from kedro_kubeflow.parameters import NotPortableError, encoding_of
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.project.resolvers import resolvers_in


def told_of_local(task: Task, local: Mapping[Any, Any]) -> Task:
    """The task with what conf/local says by itself of its parameters.

    There such a value differs from the configuration, though nobody has given it to the run: nothing else is to follow it, as
    Kedro works out each environment by itself.

    Args:
        local: top-level name → the value.
    """
    if task.call is None:
        return task
    keys = [encoding.key for _, encoding in task.call.parameters if _is_plain(local.get(encoding.key))]
    told = {key: local[key] for key in keys if key in local}
    return replace(task, call=replace(task.call, settings={**task.call.settings, LOCAL_VALUES: told})) if told else task


def _is_plain(value: Any) -> bool:
    try:
        encoding_of("", value)
    except NotPortableError:
        return False
    return not resolvers_in(value)
