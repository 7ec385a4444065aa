"""Kubeflow Pipelines' server: upload, run, schedule and watch.

The requests are made by ``kfp_server_api``, the client that KFP generates from its own contract and that ``kfp.Client``
itself is built on. ``kfp.Client`` is not used: its constructor reads another tool's context file and, without a
namespace, asks the server up to five times with five seconds between; its methods print links to standard output, where
this package's JSON goes; it looks names up in no namespace, gives only the first page, cannot pass display names and
tags, and waits for ever on a cancelled run.
"""

from kedro_kubeflow.targets.kubeflow.kubeflow import KubeflowClient, connect

__all__ = ["KubeflowClient", "connect"]
