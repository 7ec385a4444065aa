"""``code``: what goes along with a run whose steps do not take their code from the image."""

from __future__ import annotations

from pathlib import PurePosixPath

from pydantic import Field, field_validator

from kedro_kubeflow.config.local import bytes_of
from kedro_kubeflow.config.model import Model

STORES = ("auto", "mlflow", "kubeflow")


class CodeConfig(Model):
    """The project's code that travels with a run (`run_config.code: travel`, or `--with-code`)."""

    include: tuple[str, ...] = ()
    """Further files, as patterns of `.gitignore`, beside the package, `conf/`, `pyproject.toml` and the files of requirements."""

    exclude: tuple[str, ...] = ()
    """Files that stay here, as patterns of `.gitignore`. What git ignores, `conf/local`, `credentials*`, `.env*` and git's own
    folder always do; `data/` and notebooks do unless `include` names them."""

    store: str = "auto"
    """Where the code is left for the steps: `mlflow` (an artifact there), `kubeflow` (nothing but its API is needed), an
    address such as `s3://bucket/folder`, or `auto`: `mlflow` where it is used and can be reached, else `kubeflow`."""

    keep: int = Field(default=20, ge=1)
    """How many of the latest codes stay in the store `kubeflow`."""

    limit: str = "1Mi"
    """How large the code may be, compressed."""

    @field_validator("store")
    @classmethod
    def _store(cls, value: str) -> str:
        if value not in STORES and "://" not in value:
            raise ValueError(
                f"{value!r} is no store; write {', '.join(STORES)}, or an address such as s3://bucket/folder"
            )
        return value.rstrip("/")

    @field_validator("limit")
    @classmethod
    def _limit(cls, value: str) -> str:
        bytes_of(value)
        return value

    @field_validator("include")
    @classmethod
    def _include(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if pattern.startswith("!") or ".." in PurePosixPath(pattern).parts:
                raise ValueError(f"{pattern!r} is no pattern of files in the project")
        return value
