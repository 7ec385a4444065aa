"""Code that reaches the cluster by nothing but Kubeflow's API.

What stands in a task's arguments is found nine times in Argo's Workflow, eight of them where it is compressed once more in
vain: each byte of code costs a run twelve of the 1 MiB that it may have. So only small code goes along in the run that uses
it. Larger code is carried by runs of its own, a portion each, whose output artifacts are the code; it is found again by its
digest, so that it is carried once.
"""

from __future__ import annotations

import base64
import logging
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from kedro_kubeflow import names
from kedro_kubeflow.code.archive import Archive
from kedro_kubeflow.compiler.pipeline import translate_tasks
from kedro_kubeflow.contract import CODE, Artifact, StepCall
from kedro_kubeflow.errors import KedroKubeflowError, ServerError
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.request import TravellingCode
from kedro_kubeflow.results.artifact import uris_in_log
from kedro_kubeflow.targets.base.waiting import Pace, Waiting
from kedro_kubeflow.targets.kubeflow.carrier_runs import carrier_name, is_carrier
from kedro_kubeflow.targets.kubeflow.look import RunLook
from kedro_kubeflow.targets.kubeflow.pending import PendingWatch
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun, RunRequest
from kedro_kubeflow.targets.kubeflow.told import Report

if TYPE_CHECKING:
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.targets.kubeflow.kubeflow import KubeflowClient

_log = logging.getLogger(__name__)

PIPELINE = "kedro-kubeflow-code"
"""The pipeline, and the experiment, of runs that carry code."""
PORTION = 64 * 2**10
"""Bytes of code that one run carries: 64 KiB made a Workflow of 822 KB, of the 1 MiB that one may have."""
COST = 12
"""How many bytes of a Workflow a byte of code takes, base64 and compression included."""
_SECONDS = 900
_SAFE = 0.9


def carry(client: KubeflowClient, archive: Archive, prepared: Prepared, pace: Pace | None = None) -> TravellingCode:
    """Let the code go along in the run itself, or carry it first.

    Args:
        pace: how runs that carry it are waited for.

    Raises:
        AuthError, ServerError: a run that carries it was not started, failed, or does not say where it has put it.
    """
    if len(archive.content) * COST <= room(prepared):
        return TravellingCode(digest=archive.digest, content=archive.content)
    carrier = _Carrier(client, archive, prepared, pace or Pace(timeout=_SECONDS))
    uris = carrier.uris()
    carrier.tidy()
    return TravellingCode(digest=archive.digest, uris=tuple(uris))


def room(prepared: Prepared) -> int:
    """Bytes of the Workflow that are left for code; a part stays free, as sizes are estimates."""
    size = prepared.plan.workflow
    return 2**40 if size.limit is None else int(size.limit * _SAFE) - size.total


class _Carrier:
    def __init__(self, client: KubeflowClient, archive: Archive, prepared: Prepared, pace: Pace) -> None:
        self._client, self._archive, self._prepared, self._pace = client, archive, prepared, pace
        self._experiment = client.experiments.ensure(PIPELINE, prepared.config.experiment_namespace)

    def uris(self) -> list[str]:
        """Where each portion lies, in order; what is not there yet is carried, all portions at the same time."""
        content = self._archive.content
        total = math.ceil(len(content) / PORTION)
        runs = self._known(total)
        for number in range(total):
            if number not in runs:
                runs[number] = self._start(number, total, content[number * PORTION : (number + 1) * PORTION])
        return [self._address(self._ended(runs[number])) for number in range(total)]

    def tidy(self) -> None:
        """Delete the runs of older codes beyond what is to be kept; their artifacts stay, as runs may still use them."""
        ended = [run for run in self._runs() if run.ended]
        digests = list(dict.fromkeys(run.name.split(" ")[1] for run in ended))
        old = set(digests[self._prepared.config.code.keep :])
        for run in ended:
            if run.name.split(" ")[1] in old:
                try:
                    self._client.runs.delete(run.id)
                except KedroKubeflowError as error:
                    # Somebody else has deleted it, or may alone; the next one tries again.
                    _log.info("The run %s, which carried an older code, stays: %s", run.id, error.what)

    def _name(self, number: int, total: int) -> str:
        return carrier_name(self._archive.digest, number + 1, total)

    def _runs(self) -> Iterator[KubeflowRun]:
        listed = self._client.runs.list(experiment_id=self._experiment.id, limit=500)
        return (run for run in listed if is_carrier(run.name))

    def _known(self, total: int) -> dict[int, KubeflowRun]:
        """Runs that carry, or have carried, the same portions; the latest of each."""
        names_of = {self._name(number, total): number for number in range(total)}
        found: dict[int, KubeflowRun] = {}
        for run in self._runs():
            if run.name in names_of and (run.succeeded or not run.ended):
                found.setdefault(names_of[run.name], run)
        return found

    def _start(self, number: int, total: int, portion: bytes) -> KubeflowRun:
        package = translate_tasks(PIPELINE, PIPELINE, [self._task(portion)])
        request = RunRequest(
            name=self._name(number, total),
            experiment=self._experiment,
            source=package,
            service_account=self._prepared.config.run_config.service_account,
            description="The code of a project, for runs that take it from a working folder",
        )
        return self._client.runs.start(request)

    def _task(self, portion: bytes) -> Task:
        common = self._prepared.plan.common_call
        call = StepCall(
            action="code",
            step=names.PROJECT_CODE,
            pipeline=common.pipeline,
            code=self._archive.digest,
            outputs=(Artifact(CODE, CODE, "code"),),
            settings={"code": {"inline": base64.b64encode(portion).decode("ascii"), "portion": True}},
        )
        image = next(task.image for task in self._prepared.plan.tasks if task.call)
        return Task(
            name=names.PROJECT_CODE, display_name=names.PROJECT_CODE, call=call, image=image, outputs={CODE: "Artifact"}
        )

    def _ended(self, run: KubeflowRun) -> KubeflowRun:
        look = RunLook(self._client.runs, run.id, lambda _run, _last: Report(), PendingWatch(self._client.pods, None))
        waiting = Waiting(
            look,
            self._pace,
            where=self._client.address.run_link(run.id),
            cure="look at what keeps it, or choose another `code.store`",
            noun="run",
        )
        ended = cast("KubeflowRun", list(waiting.looks())[-1])
        if not ended.succeeded:
            raise ServerError(
                f"The run {ended.name!r}, which carries the code, ended {ended.state}",
                where=self._client.address.run_link(ended.id),
                cure="look at its log; or choose another `code.store`, or build the image",
            )
        return ended

    def _address(self, run: KubeflowRun) -> str:
        for step in run.steps:
            for dataset, uri in uris_in_log(self._client.logs.of(run, step)):
                if dataset == CODE:
                    return uri
        raise ServerError(
            "The run that carries the code does not say where it has put it",
            cure="try again, choose another `code.store`, or build the image",
            where=self._client.address.run_link(run.id),
        )
