"""The name of the Workflow that a pod belongs to, which Kubeflow shows runs of a schedule under."""

from __future__ import annotations

import re

# KFP's templates of pods with the code of a step. A host's name has 63 characters, so that the end of a pod's may be missing.
_POD = re.compile(r"(?P<workflow>.+?)-(metadata-\d+-\d+-)?(retry-)?system-c[a-z-]*\d*")


def workflow_name(host: str) -> str:
    """The name of the Workflow of the pod with that host name; empty where it is none of Kubeflow Pipelines' pods.

    >>> workflow_name("nightly114xv4x-4-833791317-retry-system-container-impl-922800690")
    'nightly114xv4x-4-833791317'
    >>> workflow_name("space-flights-nightly-at-three14xv4x-412-833791317-system-conta")
    'space-flights-nightly-at-three14xv4x-412-833791317'
    """
    found = _POD.fullmatch(host)
    return found.group("workflow") if found else ""
