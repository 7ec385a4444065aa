"""Artifacts in an object store or on a disk, by fsspec and this machine's own credentials (https://filesystem-spec.readthedocs.io)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kedro_kubeflow.errors import DependencyError, KedroKubeflowError, ServerError
from kedro_kubeflow.results.arrival import arriving
from kedro_kubeflow.results.artifact import RunArtifact

_log = logging.getLogger(__name__)

_CHUNK = 2**20
Progress = Callable[[int], None]


class Store:
    """The store that an address belongs to."""

    def __init__(self, uri: str) -> None:
        """Nothing is asked yet.

        Raises:
            DependencyError: the package for this kind of address is not installed.
            ServerError: the store cannot be used from here.
        """
        from fsspec.core import url_to_fs

        self.uri = uri
        with _told(uri):
            self.files, self.path = url_to_fs(uri)

    def size(self) -> int | None:
        """Bytes of the file, or of all files of the folder; None where there is nothing.

        Raises:
            ServerError: the store does not answer.
        """
        with _told(self.uri):
            if not self.files.exists(self.path):
                return None
            return int(self.files.du(self.path))

    def fetch(self, target: Path, progress: Progress = lambda _: None) -> Path:
        """Bring the file or the folder.

        Args:
            progress: is told of each portion's bytes.

        Raises:
            ServerError: it is not there, or the store does not answer.
        """
        with arriving(target) as place, _told(self.uri):
            if self.files.isdir(self.path):
                self._fetch_folder(place, progress)
            else:
                self._fetch_file(self.path, place, progress)
        return target

    def _fetch_folder(self, place: Path, progress: Progress) -> None:
        place.mkdir()
        for found in self.files.find(self.path):
            relative = str(found)[len(str(self.path).rstrip("/")) :].lstrip("/")
            self._fetch_file(found, place / relative, progress)

    def _fetch_file(self, path: str, place: Path, progress: Progress) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        with self.files.open(path, "rb") as source, place.open("wb") as target:
            while portion := source.read(_CHUNK):
                target.write(portion)
                progress(len(portion))


def sized(artifacts: Iterable[RunArtifact]) -> list[RunArtifact]:
    """The same artifacts with their sizes, as far as their stores say them; one that does not answer is asked once."""
    silent: set[tuple[str, str]] = set()
    found = []
    for artifact in artifacts:
        parts = urlsplit(artifact.data_uri)
        place = (parts.scheme, parts.netloc)
        if artifact.size is None and artifact.uri and place not in silent:
            try:
                artifact = replace(artifact, size=Store(artifact.data_uri).size())
            except KedroKubeflowError as error:
                _log.info("No size is known of what lies at %s: %s", artifact.data_uri, error.what)
                silent.add(place)
        found.append(artifact)
    return found


def without_package(error: ImportError, where: str) -> DependencyError:
    """What is said of a store whose package fsspec does not find."""
    return DependencyError(
        f"The package for this store is not installed: {error}",
        where=where,
        cure="install it where this command runs",
    )


class _told:  # noqa: N801 - read as a word of the with statement
    """What fsspec's many back ends raise, as an error that says where."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ImportError):
            raise without_package(error, self._uri) from error
        if isinstance(error, FileNotFoundError):
            raise ServerError("There is nothing at this address", where=self._uri) from error
        if isinstance(error, Exception) and not isinstance(error, (DependencyError, ServerError)):
            line = " ".join(str(error).split())[:300] or type(error).__name__
            raise ServerError(
                f"The store cannot be read from here: {line}",
                where=self._uri,
                cure="check this machine's credentials for it",
            ) from error
