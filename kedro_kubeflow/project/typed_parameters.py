"""Parameters whose nodes say by a type, such as a pydantic model, what fits: Kedro refuses others before a run starts.

https://docs.kedro.org/en/stable/configure/parameters/
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kedro_kubeflow.errors import ParameterError


def with_types(pipelines: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as nodes are given them: models, where nodes say so; as they are where Kedro does not know how.

    Raises:
        ParameterError: one does not fit.
    """
    try:
        from kedro.validation.exceptions import ParameterValidationError
        from kedro.validation.parameter_validator import ParameterValidator
    except ImportError:  # Kedro before 1.3.
        return dict(values)
    with _silence():
        try:
            return dict(ParameterValidator(dict(pipelines)).validate_raw_params(dict(values)))
        except ParameterValidationError as error:
            raise ParameterError(
                " ".join(str(error).split()), where="conf, parameters*.yml, or --params", cure="mend the value"
            ) from error


@contextmanager
def _silence() -> Iterator[None]:
    """What is logged on the way is said in the error."""
    logger = logging.getLogger("kedro.validation")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
