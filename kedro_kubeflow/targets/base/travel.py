"""Code on its way from this working folder to a run's steps."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from kedro_kubeflow.code.archive import Archive
from kedro_kubeflow.code.project_code import pack_project, size_text
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError, ServerError
from kedro_kubeflow.prepared import Prepared
from kedro_kubeflow.project.git_commit import git_commit
from kedro_kubeflow.request import TravellingCode
from kedro_kubeflow.targets.base.mlflow_here import mlflow_address, mlflow_from_here
from kedro_kubeflow.targets.base.target import Target

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sent:
    """Code that is where a run's steps find it.

    Attributes:
        said: what is said of it, in one line.
    """

    code: TravellingCode
    said: str


def send_code(target: Target, prepared: Prepared) -> Sent:
    """Pack the project's code and bring it to where the configuration says.

    Raises:
        ConfigError: it holds what looks like a secret, is too large, or its store cannot be had.
        DependencyError: the package for its store is missing.
        AuthError, ServerError, TrackingError: the store does not take it.
    """
    since = time.monotonic()
    archive = pack_project(prepared.project, prepared.config.code)
    code, where = _stored(target, prepared, archive)
    commit = git_commit(prepared.project.path)
    said = f"The code of this folder goes along: {size_text(len(archive.content))}, {where}, {time.monotonic() - since:.1f} s"
    return Sent(replace(code, commit=commit), said)


def _stored(target: Target, prepared: Prepared, archive: Archive) -> tuple[TravellingCode, str]:
    store = prepared.config.code.store
    if "://" in store:
        return _at(store, archive), f"in {store}"
    if store == "mlflow":
        if not prepared.tracking:
            raise ConfigError(
                "`code.store: mlflow` hands the code on by the pipeline's MLflow run, and this pipeline has none",
                where="kubeflow.yml, code.store",
                cure="choose another store, or track the pipeline (run_config.mlflow.enabled, mlflow.yml)",
            )
        return _in_mlflow(prepared, archive), "in MLflow"
    if store == "auto" and prepared.tracking and not target.attached and _is_server(prepared):
        try:
            return _in_mlflow(prepared, archive), "in MLflow"
        except Exception as error:
            # Whatever keeps this machine from it, the target has a way of its own.
            reason = error.what if isinstance(error, KedroKubeflowError) else str(error)
            _log.info("MLflow cannot hold the code (%s); it goes another way", " ".join(reason.split())[:200])
    return target.carry(archive, prepared), f"by {target.display_name}"


def _is_server(prepared: Prepared) -> bool:
    uri = mlflow_address(prepared.project, prepared.config) or ""
    return urlsplit(uri).scheme in ("http", "https")


def _in_mlflow(prepared: Prepared, archive: Archive) -> TravellingCode:
    from kedro_kubeflow.tracking.code import store_code

    with mlflow_from_here(prepared.project, prepared.config) as mlflow:
        return TravellingCode(digest=archive.digest, mlflow_run=store_code(mlflow, archive.content, archive.digest))


def _at(store: str, archive: Archive) -> TravellingCode:
    return TravellingCode(digest=archive.digest, uris=(put(store, archive),))


def put(folder: str, archive: Archive) -> str:
    """Put code into a folder of any store, once; gives its address.

    Raises:
        DependencyError, ServerError: the store's package is missing, or it does not take it.
    """
    import fsspec

    from kedro_kubeflow.results.store import without_package

    uri = f"{folder}/{archive.digest}.tar.xz"
    try:
        files, path = fsspec.core.url_to_fs(uri)
        if not files.exists(path):
            files.makedirs(path.rpartition("/")[0], exist_ok=True)
            files.pipe_file(path, archive.content)
    except ImportError as error:
        raise without_package(error, folder) from error
    except Exception as error:
        line = " ".join(str(error).split())[:300] or type(error).__name__
        raise ServerError(
            f"The code cannot be put there: {line}", where=folder, cure="check this machine's credentials for it"
        ) from error
    return uri
