"""Keys of kedro-kubeflow 0.x and kedro-vertexai that have gone: each is read as its successor, or refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_GONE = {
    "max_cache_staleness": "Kubeflow Pipelines 2 knows no staleness: a result is taken from the cache or it is not. The "
    "successor is `cache`, by step, and off by default; delete this key, and name steps there if results may be reused",
    "root": "kedro-kubeflow 0.x never read it, and the pipeline root is the Kubeflow server's; delete it (for Vertex AI it is "
    "`vertexai.root`)",
    "host_aliases": "Kubeflow Pipelines hands no host aliases on to pods; a Service of type ExternalName in the namespace "
    "gives a host a name there",
    "network": "Kubeflow Pipelines has no setting for a VPC, and hands no host aliases on to pods; for Vertex AI it is "
    "`vertexai.network`",
    "priority_class_name": "Kubeflow Pipelines does not hand it on; an administrator can set one for a namespace",
    "dns_config": "Kubeflow Pipelines does not hand it on",
    "runtime_class_name": "Kubeflow Pipelines does not hand it on",
}
_RENAMED = {
    "node_selectors": "node_selector",
    "labels": "pod_labels",
    "annotations": "pod_annotations",
    "volumes": "extra_volumes",
    "retries": "retry_policy",
    "on_exit": "on_exit_pipeline",
}
_STORE = "store_kedro_outputs_as_kfp_artifacts"


def without_gone(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """``run_config`` as it came in.

    Raises:
        ValueError: it has a key that has gone; the message names the successor.
    """
    for key in values:
        if key in _GONE:
            raise ValueError(f"{key!r} cannot be had: {_GONE[key]}")
        if key in _RENAMED:
            raise ValueError(f"{key!r} is called {_RENAMED[key]!r} here")
    if values.get(_STORE) is False and not values.get("volume"):
        raise ValueError(
            f"`{_STORE}: false` is for files that stay on the run's volume, and no `volume` is configured: without one, "
            "files cross from step to step as artifacts"
        )
    return values
