"""The volume that the steps of a run share, as tasks and mounts.

KFP's pipeline workspace (https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/pipeline-workspace/)
serves better than a claim that tasks make and delete: it belongs to the run, so that nothing is left behind when a run fails
(a deleting task would not run then, and KFP lets no exit task delete a claim); it needs no pods of its own; and the exit task
sees it. It is mounted where a task has its path as an input. What it cannot do is stay, so a volume that is kept is a claim
made by KFP's own ``CreatePVC`` task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.config.volume import VolumeConfig
from kedro_kubeflow.contract import WORKSPACE_INPUT
from kedro_kubeflow.plan.dag import Dag
from kedro_kubeflow.plan.frame import Frame
from kedro_kubeflow.plan.task import WORKSPACE, Constant, Parameter, Task

MOUNT = "/kedro-volume"
CREATE_PVC = "argostub/createpvc"


def volume_tasks(frame: Frame) -> list[Task]:
    """The tasks that make the volume ready."""
    if frame.volume is None:
        return []
    made = [_created(frame.volume)] if frame.volume.keep else []
    return made if frame.volume.skip_init else [*made, with_volume(_fill(frame), frame)]


def mounted(tasks: Sequence[Task], dag: Dag, frame: Frame) -> list[Task]:
    """The steps, those that use the volume with the volume, and waiting for it."""
    if frame.volume is None:
        return list(tasks)
    users = {step.name for step in dag.steps if step.volume}
    upstream = {step.name: step.upstream for step in dag.steps}
    ready: set[str] = set()
    done: list[Task] = []
    for task in tasks:
        after_ready = any(name in ready for name in upstream[task.name])
        if task.name in users:
            task = with_volume(task, frame)
            if not after_ready and not frame.volume.skip_init:
                task = replace(task, after=(*task.after, names.FILL_VOLUME))
        if after_ready or task.name in users:
            ready.add(task.name)
        done.append(task)
    return done


def with_volume(task: Task, frame: Frame) -> Task:
    """A task that has the volume."""
    volume = frame.volume
    if volume is None or task.call is None:
        return task
    platform: dict[str, Any] = dict(task.platform)
    if volume.keep:
        name = {"producerTask": names.CREATE_VOLUME, "outputParameterKey": "name"}
        mount = {
            "mountPath": MOUNT,
            "subPath": "",
            "pvcNameParameter": {"taskOutputParameter": name},
            "taskOutputParameter": name,
        }
        platform["pvcMount"] = [*platform.get("pvcMount", ()), mount]
    if volume.owner is not None:
        platform["securityContext"] = {"runAsUser": str(volume.owner), **platform.get("securityContext", {})}
    path = Parameter("STRING", Constant(MOUNT if volume.keep else WORKSPACE))
    return replace(
        task,
        call=replace(task.call, settings={**task.call.settings, "volume": volume.folder}),
        parameters={**task.parameters, WORKSPACE_INPUT: path},
        after=(*task.after, names.CREATE_VOLUME) if volume.keep else task.after,
        platform=platform,
    )


def workspace_config(volume: VolumeConfig) -> dict[str, Any]:
    """KFP's ``WorkspaceConfig``."""
    patch: dict[str, Any] = {"accessModes": list(volume.access_modes)}
    if volume.storageclass:
        patch["storageClassName"] = volume.storageclass
    return {"size": volume.size, "kubernetes": {"pvcSpecPatch": patch}}


def _created(volume: VolumeConfig) -> Task:
    """KFP's own task that makes a claim; its backend knows it by the image, and starts no pod."""
    return Task(
        name=names.CREATE_VOLUME,
        title=names.CREATE_VOLUME,
        image=CREATE_PVC,
        call=None,
        parameters={
            "access_modes": Parameter("LIST", Constant(list(volume.access_modes))),
            "pvc_name_suffix": Parameter("STRING", Constant("-kedro")),
            "size": Parameter("STRING", Constant(volume.size)),
            "storage_class_name": Parameter("STRING", Constant(volume.storageclass)),
        },
        puts_out=("name",),
    )


def _fill(frame: Frame) -> Task:
    return Task(
        name=names.FILL_VOLUME,
        title=names.FILL_VOLUME,
        image=frame.image,
        call=replace(frame.call, action="fill", step=names.FILL_VOLUME),
        platform=frame.platform,
    )
