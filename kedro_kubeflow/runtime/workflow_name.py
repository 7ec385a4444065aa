"""The name of the Workflow that a pod belongs to, which Kubeflow shows runs of a schedule under."""

from __future__ import annotations

import re

# KFP's templates of pods with the code of a step.
_POD = re.compile(r"(?P<workflow>.+?)-(metadata-\d+-\d+-)?(retry-)?system-container-impl-\d+")


def workflow_name(pod: str) -> str:
    """The name of a pod's Workflow; empty where it is none of Kubeflow Pipelines' pods.

    >>> workflow_name("nightly114xv4x-4-833791317-retry-system-container-impl-922800690")
    'nightly114xv4x-4-833791317'
    """
    found = _POD.fullmatch(pod)
    return found.group("workflow") if found else ""
