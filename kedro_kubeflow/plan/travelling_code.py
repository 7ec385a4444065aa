"""The project's code on its way to the steps: which task makes it an artifact, and who is given it.

The first task makes it, as it must run in any case and every step waits for it: the one that opens the MLflow run, or one of its
own. Code that lies where KFP finds it needs no task but KFP's own importer. The exit task cannot be given artifacts; its exit
pipeline takes the code from the MLflow run.

KFP's cache knows an artifact by its number, and a task that has run has made a new one. So where steps are cached, the code is
made by a task of its own that may come from the cache itself: the same code is the same artifact then.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.contract import CODE, Artifact, StepCall
from kedro_kubeflow.plan.defaults import Defaults
from kedro_kubeflow.plan.task import IMPORTED, InputArtifact, Task
from kedro_kubeflow.request import TravellingCode

_KIND = "Artifact"
# These read the project's configuration; what fills a volume or ends a group needs none of its files.
_RUN_CODE = ("start", "run", "succeed")


def with_code(tasks: Sequence[Task], code: TravellingCode | None, defaults: Defaults) -> list[Task]:
    """The tasks of one level of the graph, the first among them, with the code.

    Args:
        tasks: in an order in which they can run.
    """
    if code is None:
        return list(tasks)
    importers = _importers(code)
    start = next((task for task in tasks if task.name == names.START_RUN), None)
    if len(importers) == 1:
        # An importer has all of it, and gives what KFP knows already under its number.
        maker, given = None, InputArtifact(_KIND, importers[0].name, IMPORTED)
    else:
        cached = any(task.cache for task in tasks)
        maker = start if start and not cached else _own_task(code, defaults, cache=cached)
        maker, given = _making(maker, code, importers), InputArtifact(_KIND, maker.name, CODE)
    made = [maker] if maker else []
    rest = [_with(task, code, given) for task in tasks if task.name not in {task.name for task in made}]
    return [*importers, *made, *rest]


def at_exit_with_code(task: Task, code: TravellingCode | None) -> Task:
    """The exit task, which is told which code it is."""
    if code is None or task.call is None or not task.call.tracking:
        return task
    return replace(task, call=replace(task.call, code=code.digest))


def code_warnings(code: TravellingCode | None, defaults: Defaults) -> list[str]:
    """What the code does not reach."""
    if code is None or defaults.tracking or not (defaults.at_exit and defaults.at_exit.step):
        return []
    return ["The exit pipeline runs the image's code: without MLflow, the code of this folder cannot be brought to it"]


def _importers(code: TravellingCode) -> list[Task]:
    several = len(code.uris) > 1
    return [
        Task.importer(name, uri=uri, kind=_KIND)
        for number, uri in enumerate(code.uris, 1)
        for name in [f"{names.PROJECT_CODE}-{number}" if several else f"{names.PROJECT_CODE}-import"]
    ]


def _own_task(code: TravellingCode, defaults: Defaults, *, cache: bool) -> Task:
    call = replace(defaults.call, action="code", step=names.PROJECT_CODE, code=code.digest)
    return Task(name=names.PROJECT_CODE, display_name=names.PROJECT_CODE, image=defaults.image, call=call, cache=cache)


def _making(task: Task, code: TravellingCode, importers: Sequence[Task]) -> Task:
    """The task that makes the artifact."""
    if task.call is None:
        return task
    parts = {part.name: InputArtifact(_KIND, part.name, IMPORTED) for part in importers}
    told = _told(task.call, code)
    call = replace(
        told,
        outputs=(*told.outputs, Artifact(CODE, CODE, "code")),
        settings={**told.settings, "code": _source(code, list(parts))},
    )
    return replace(task, call=call, artifacts={**task.artifacts, **parts}, outputs={**task.outputs, CODE: _KIND})


def _told(call: StepCall, code: TravellingCode) -> StepCall:
    """A call that is told which code it is; the one that opens the MLflow run, the commit too."""
    commit = {"commit": code.commit} if code.commit and call.action == "start" else {}
    return replace(call, code=code.digest, settings={**call.settings, **commit})


def _source(code: TravellingCode, parts: list[str]) -> Mapping[str, Any]:
    if code.content is not None:
        return {"inline": base64.b64encode(code.content).decode("ascii")}
    return {"mlflow": code.mlflow_run} if code.mlflow_run else {"parts": parts}


def _with(task: Task, code: TravellingCode, given: InputArtifact) -> Task:
    if task.call is None or task.call.action not in _RUN_CODE or not _needs_project(task):
        return task
    return replace(task, call=_told(task.call, code), artifacts={**task.artifacts, CODE: given})


def _needs_project(task: Task) -> bool:
    return task.call is not None and (task.call.action in ("start", "run") or task.call.tracking)
