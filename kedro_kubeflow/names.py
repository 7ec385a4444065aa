"""Kedro names and the names that KFP, Argo and Kubernetes accept: valid, short, and never two to one.

A name that is already plain keeps its look (``split_data`` → ``split-data``). Every other name gets the first eight hex
digits of its SHA-256, so that ``a.b``, ``a-b`` and ``a b`` stay three names; a plain name that happens to look as if it had
such digits gets them too, which is what makes the mapping injective. The real name travels beside it, as the display name
and in the step's arguments; nothing is ever read back from these names.

Limits: a Kubernetes label value and DNS label have at most 63 characters
(https://kubernetes.io/docs/concepts/overview/working-with-objects/names/); KFP wants ``^[a-z0-9][a-z0-9-]{0,127}$`` of a
pipeline, and Argo appends ``-`` and five characters to it for the workflow, whose name is a label value too.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable

from kedro_kubeflow.errors import NameClash

MAX_LABEL = 63
MAX_PIPELINE = 57
START_RUN = "mlflow-start-run"
MARK_SUCCESS = "mlflow-mark-success"
END_RUN = "mlflow-end-run"
STEPS_GROUP = "kedro"
EXIT_PIPELINE = "on-exit-pipeline"
NOTIFY = "notify"
FILL_VOLUME = "fill-volume"
CREATE_VOLUME = "create-volume"
RUN_SUCCEEDED = "run-succeeded"
PROJECT_CODE = "project-code"
TASKS = (
    START_RUN,
    MARK_SUCCESS,
    END_RUN,
    EXIT_PIPELINE,
    NOTIFY,
    FILL_VOLUME,
    CREATE_VOLUME,
    RUN_SUCCEEDED,
    PROJECT_CODE,
)
RESERVED = frozenset({*TASKS, STEPS_GROUP})

_HASHED = re.compile(r".*[-_][0-9a-f]{8}")


def task_name(kedro_name: str) -> str:
    """The KFP task name of a step: a DNS label that starts with a letter.

    >>> task_name("split_data")
    'split-data'
    >>> task_name("ns.split_data")
    'ns-split-data-b57befd9'
    """
    plain = kedro_name.replace("_", "-")
    if (
        re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]|[a-z]", kedro_name)
        and plain not in RESERVED
        and len(plain) <= MAX_LABEL
        and not _HASHED.fullmatch(kedro_name)
    ):
        return plain
    return _hashed(kedro_name, joint="-", limit=MAX_LABEL, fallback="step")


def field_name(kedro_name: str) -> str:
    """The KFP name of an artifact or a parameter: ``[A-Za-z][A-Za-z0-9_-]*``, at most 63 characters.

    >>> field_name("model_input_table")
    'model_input_table'
    >>> field_name("ns.model")
    'ns_model-0d89984c'
    """
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", kedro_name) and len(kedro_name) <= MAX_LABEL:
        return kedro_name
    return _hashed(kedro_name, joint="_", limit=MAX_LABEL, fallback="data")


def pipeline_name(project: str, pipeline: str) -> str:
    """The KFP pipeline name of one of a project's pipelines; ``__default__`` goes by the project's name alone.

    >>> pipeline_name("Space Flights", "__default__")
    'space-flights'
    >>> pipeline_name("Space Flights", "data_science")
    'space-flights-data-science'
    """
    whole = project if pipeline == "__default__" else f"{project}-{pipeline}"
    slug = _slug(whole, "-") or "pipeline"
    if slug == re.sub(r"[\s_]+", "-", whole.lower()) and len(slug) <= MAX_PIPELINE:
        return slug
    return _hashed(whole, joint="-", limit=MAX_PIPELINE, fallback="pipeline")


def distinct(kedro_names: Iterable[str], rule: Callable[[str], str], what: str) -> dict[str, str]:
    """Kedro name → KFP name for names that must stay apart.

    Raises:
        NameClash: two of them would become one, for all the care above.
    """
    taken: dict[str, str] = {}
    for name in kedro_names:
        other = taken.setdefault(rule(name), name)
        if other != name:
            raise NameClash(
                f"The {what} {other!r} and {name!r} would both be called {rule(name)!r} on Kubeflow Pipelines",
                cure="rename one of them",
            )
    return {name: short for short, name in taken.items()}


def _slug(text: str, joint: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", joint, ascii_text.lower()).strip(joint)


def _hashed(name: str, *, joint: str, limit: int, fallback: str) -> str:
    digits = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    slug = _slug(name, joint)
    if not slug or not slug[0].isalpha():
        slug = f"{fallback}{joint}{slug}".rstrip(joint)
    return f"{slug[: limit - 9].rstrip(joint)}-{digits}"


_SECRET = re.compile(
    r"passw|passphrase|secret|credential|(api|access|account|private)[_-]?key|(^|[_-])((access|auth|api|bearer|refresh)[_-]?)?token$",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Whether what is called so is most likely a secret.

    >>> [n for n in ("db_password", "api_token", "max_tokens", "key") if is_secret_name(n)]
    ['db_password', 'api_token']
    """
    return _SECRET.search(name) is not None
