"""Cloudpickle that makes data whole at any depth, for `stored`: in an object, a closure, a partial function.

A backend of ``pickle.PickleDataset``. What it writes, plain cloudpickle reads.
"""

from __future__ import annotations

import pickle
from typing import Any

import cloudpickle
from cloudpickle import load, loads

from kedro_kubeflow.runtime.stored import Partition, is_loader, made_whole, of_library

__all__ = ["dump", "load", "loads"]


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, obj: Any) -> Any:
        if is_loader(obj):
            return Partition, (made_whole(obj()),)
        whole = of_library(obj)
        return super().reducer_override(obj) if whole is obj else whole.__reduce_ex__(pickle.DEFAULT_PROTOCOL)


def dump(obj: Any, file: Any, **save_args: Any) -> None:
    """Write an object to an open file.

    Raises:
        DatasetError: a part of it is tied to what only this process has, such as a session.
    """
    _Pickler(file, **save_args).dump(obj)
