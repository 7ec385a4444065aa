"""The artifacts of a run on Kubeflow Pipelines: which, where, and their bytes.

The API tells no artifact's address (there is no such service in its contract), so the steps themselves are asked, by their tags
in MLflow or by their logs. The bytes come through the UI's own server, ``/artifacts/SOURCE/BUCKET/KEY``, which gives a file as it
is and a folder as ``.tar.gz`` (kubeflow/pipelines ``frontend/server/handlers/artifacts.ts``); where that is not there, from the
store itself with this machine's credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from kfp_server_api import ApiException

from kedro_kubeflow.auth.kubeflow.none import NoCredentials
from kedro_kubeflow.errors import KedroKubeflowError, ServerError
from kedro_kubeflow.results.arrival import arriving, unpack_folder
from kedro_kubeflow.results.artifact import Place, RunArtifact, told_in_log
from kedro_kubeflow.results.spec import artifacts_of
from kedro_kubeflow.results.store import Progress, Store
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN
from kedro_kubeflow.targets.kubeflow.refusals import translated
from kedro_kubeflow.targets.kubeflow.server import Server

SOURCES = {"minio": "minio", "s3": "s3", "gs": "gcs"}
_CHUNK = 2**16
_TRIES = 4


@dataclass(frozen=True)
class Artifacts:
    """The artifacts that one server's runs have stored."""

    server: Server

    def located(
        self,
        spec: Mapping[str, Any],
        told: Mapping[str, Place],
        *,
        recorded: Callable[[], Iterable[str]],
        logs: Callable[[], Iterable[str]],
    ) -> list[RunArtifact]:
        """The artifacts that a run's pipeline promises, with where they lie; without an address those that nobody tells of.

        Args:
            spec: the run's pipeline spec.
            told: dataset → where it lies, as the steps say it in MLflow.
            recorded: gives the URIs in Kubeflow's own record of the run.
            logs: gives the logs of the steps. Both are asked only for what is not told.
        """
        promised = artifacts_of(spec)
        known = {**{a.dataset: Place(a.uri) for a in promised if a.uri}, **told}
        if any(artifact.dataset not in known for artifact in promised):
            uris = list(recorded())
            known |= {
                a.dataset: Place(uri) for a in promised for uri in uris if a.dataset not in known and a.is_at(uri)
            }
        if any(artifact.dataset not in known for artifact in promised):
            known |= {a.dataset: Place(a.uri, a.size) for text in logs() for a in told_in_log(text)}
        nowhere = Place("")
        return [replace(a, **known.get(a.dataset, nowhere)._asdict()) for a in promised]

    def is_there(self, artifact: RunArtifact) -> bool | None:
        """Whether an artifact's data are still there; None where nobody can be asked."""
        parts = urlsplit(artifact.data_uri)
        try:
            if parts.scheme not in SOURCES:
                return Store(artifact.data_uri).size() is not None
            path = f"/artifacts/{SOURCES[parts.scheme]}/{parts.netloc}/{quote(parts.path.lstrip('/'))}"
            with self.server.connection.stream(path, self._query, host=self._host, headers={"Accept": "*/*"}):
                return True
        except ApiException as error:
            return False if error.status == 404 else None
        except (_NoSuchAddress, KedroKubeflowError, *FOREIGN):
            return None

    def fetch(self, artifact: RunArtifact, target: Path, progress: Progress = lambda _: None) -> Path:
        """Bring an artifact's data: a file, or a folder with its files.

        Raises:
            AuthError: the UI's server refuses.
            ServerError: it is not there, cannot be reached, or broke off; then nothing stands at ``target``.
        """
        parts = urlsplit(artifact.data_uri)
        if parts.scheme not in SOURCES:
            return Store(artifact.data_uri).fetch(target, progress)
        try:
            return self._by_ui(SOURCES[parts.scheme], parts.netloc, parts.path.lstrip("/"), target, progress)
        except _NoSuchAddress as error:
            if parts.scheme == "minio":
                raise ServerError(
                    f"{artifact.dataset!r} cannot be downloaded: {error}",
                    where=self.server.address.ui_host,
                    cure="set `ui_host` to the address of Kubeflow Pipelines' UI",
                ) from error
            return Store(artifact.data_uri).fetch(target, progress)

    def _by_ui(self, source: str, bucket: str, key: str, target: Path, progress: Progress) -> Path:
        path = f"/artifacts/{source}/{bucket}/{quote(key)}"
        with arriving(target) as place:
            part = place.with_name("arriving")
            is_folder = self._whole(path, part, progress)
            if is_folder:
                unpack_folder(part, place)
            else:
                part.rename(place)
        return target

    def _whole(self, path: str, part: Path, progress: Progress) -> bool:
        """Bring all of an answer, going on from where it broke off where the server can do that; whether it is a folder's.

        Raises:
            ServerError: it broke off again and again.
        """
        for attempt in range(_TRIES):
            try:
                return self._some(path, part, progress)
            except FOREIGN as error:
                if isinstance(error, ApiException) or attempt + 1 == _TRIES:
                    raise self._told(error, path) from error
                self.server.pause(attempt)
        raise AssertionError("the loop returns or raises")

    def _some(self, path: str, part: Path, progress: Progress) -> bool:
        there = part.stat().st_size if part.exists() else 0
        asked = {"Range": f"bytes={there}-"} if there else {}
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", **asked}
        with self.server.connection.stream(path, self._query, host=self._host, headers=headers) as answer:
            goes_on = there > 0 and answer.status == 206
            if there and not goes_on:
                progress(-there)
            with part.open("ab" if goes_on else "wb") as file:
                for portion in answer.stream(_CHUNK):
                    file.write(portion)
                    progress(len(portion))
            return str(answer.headers.get("Content-Disposition", "")).rstrip("'\"").endswith(".tar.gz")

    @property
    def _query(self) -> dict[str, str]:
        namespace = self.server.namespace
        return {"namespace": namespace} if namespace else {}

    @property
    def _host(self) -> str:
        """The UI's server: `host` where that is it, else `ui_host` where credentials may be shown to it."""
        address = self.server.address
        if self.server.is_ui:
            return address.host
        shows_nothing = isinstance(self.server.connection.credentials, NoCredentials)
        if address.host == address.ui_host or not (address.same_origin or shows_nothing):
            raise _NoSuchAddress("only the UI's server gives artifacts, and where it is is not known")
        return address.ui_host

    def _told(self, error: Exception, path: str) -> KedroKubeflowError:
        if isinstance(error, ApiException) and error.status == 404:
            return ServerError("There is nothing at this address: it was deleted, or never stored", where=path)
        if isinstance(error, ApiException):
            return translated(error, self.server.address, "read the artifact")
        return ServerError(
            f"The download of the artifact broke off {_TRIES} times: {type(error).__name__}",
            where=path,
            cure="ask for it again",
        )


class _NoSuchAddress(Exception):
    """The UI's server cannot be asked."""
