"""A stand-in for the Kubeflow Pipelines API server; see README.md."""

from kfp_server.faults import LOGIN_PAGE, NO_UPSTREAM, Answer, Reset, Slow, gateway
from kfp_server.progress import Script
from kfp_server.server import Gate, KfpServer, Request
from kfp_server.world import Options

__all__ = [
    "LOGIN_PAGE",
    "NO_UPSTREAM",
    "Answer",
    "Gate",
    "KfpServer",
    "Options",
    "Request",
    "Reset",
    "Script",
    "Slow",
    "gateway",
]
