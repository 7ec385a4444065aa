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

from kedro_kubeflow import names
from kedro_kubeflow.config.volume import VolumeConfig
from kedro_kubeflow.contract import WORKSPACE_INPUT
from kedro_kubeflow.plan.defaults import Defaults
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.plan.task import WORKSPACE, ClaimMount, Constant, FromTask, Parameter, Task

MOUNT = "/kedro-volume"
CREATE_PVC = "argostub/createpvc"


def volume_tasks(defaults: Defaults) -> list[Task]:
    """The tasks that make the volume ready."""
    if defaults.volume is None:
        return []
    made = [_created(defaults.volume)] if defaults.volume.keep else []
    if defaults.volume.skip_init:
        return made
    fill = with_volume(_fill(defaults), defaults)
    return [*made, _as_root(fill, defaults.volume) if defaults.volume.fill_as_root else fill]


def mounted(tasks: Sequence[Task], steps: Sequence[Step], defaults: Defaults) -> list[Task]:
    """The steps, those that use the volume with the volume, and waiting for it."""
    if defaults.volume is None:
        return list(tasks)
    users = {step.name for step in steps if step.volume}
    upstream = {step.name: step.upstream for step in steps}
    ready: set[str] = set()
    done: list[Task] = []
    for task in tasks:
        after_ready = any(name in ready for name in upstream[task.name])
        if task.name in users:
            task = with_volume(task, defaults)
            if not after_ready and not defaults.volume.skip_init:
                task = replace(task, after=(*task.after, names.FILL_VOLUME))
        if after_ready or task.name in users:
            ready.add(task.name)
        done.append(task)
    return done


def with_volume(task: Task, defaults: Defaults) -> Task:
    """A task that has the volume."""
    volume = defaults.volume
    if volume is None or task.call is None:
        return task
    claim = ClaimMount(path=MOUNT, name=FromTask(names.CREATE_VOLUME, "name")) if volume.keep else None
    path = Parameter("STRING", Constant(MOUNT if volume.keep else WORKSPACE))
    return replace(
        task,
        call=replace(task.call, settings={**task.call.settings, "volume": volume.folder}),
        parameters={**task.parameters, WORKSPACE_INPUT: path},
        after=(*task.after, names.CREATE_VOLUME) if volume.keep else task.after,
        mount=claim,
        run_as=volume.owner,
    )


def _created(volume: VolumeConfig) -> Task:
    """KFP's own task that makes a claim; its backend knows it by the image, and starts no pod."""
    return Task(
        name=names.CREATE_VOLUME,
        display_name=names.CREATE_VOLUME,
        image=CREATE_PVC,
        call=None,
        parameters={
            "access_modes": Parameter("LIST", Constant(list(volume.access_modes))),
            "pvc_name_suffix": Parameter("STRING", Constant("-kedro")),
            "size": Parameter("STRING", Constant(volume.size)),
            "storage_class_name": Parameter("STRING", Constant(volume.storageclass)),
        },
        output_parameters=("name",),
    )


def _as_root(fill: Task, volume: VolumeConfig) -> Task:
    """The filling task, as the one user who may write to a disk of root's; it then gives the disk away."""
    call = replace(fill.call, settings={**fill.call.settings, "owner": volume.owner}) if fill.call else None
    return replace(fill, call=call, as_root=True)


def _fill(defaults: Defaults) -> Task:
    return Task(
        name=names.FILL_VOLUME,
        display_name=names.FILL_VOLUME,
        image=defaults.image,
        call=replace(defaults.call, action="fill", step=names.FILL_VOLUME),
        pod_fields=defaults.pod_fields,
    )
