"""Packages that code which travels with a run imports, and that the image does not have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from kedro_kubeflow.contract import LOCAL_ENV, StepCall
from kedro_kubeflow.errors import StepError, chain_of

CURE = "build the image anew, with it among the requirements: code travels with the run, packages do not"
HERE = "install it, and name it in the requirements: for a cluster, the image must be built anew"


def cure() -> str:
    """What to do where a package is missing; on this machine, its own environment stands for the image."""
    return HERE if LOCAL_ENV in os.environ else CURE


@contextmanager
def packages_of_image(call: StepCall) -> Iterator[None]:
    """Say of a package that is missing in the block that the image must be built, where its code is not the image's own."""
    try:
        yield
    except Exception as error:
        if call.code and (told := missing_package(error)) is not None:
            raise told from error
        raise


def missing_package(error: BaseException, *, where: str | None = None) -> StepError | None:
    """The error, if a package that is not there is behind it, and nobody has said so yet."""
    chain = chain_of(error)
    if any(getattr(one, "cure", None) == cure() for one in chain):
        return None
    missing = (str(one.name).partition(".")[0] for one in chain if isinstance(one, ModuleNotFoundError) and one.name)
    package = next((name for name in missing if find_spec(name) is None), None)
    if package is None:
        return None
    return StepError(
        f"The code that came with the run imports {package!r}, which "
        + ("is not installed here" if LOCAL_ENV in os.environ else "the image does not have"),
        where=where or getattr(error, "where", None),
        cure=cure(),
    )
