"""A package that code which travels imports and the image lacks: the error names it, and says what to do."""

from __future__ import annotations

import pytest

from kedro_kubeflow.contract import LOCAL_ENV, StepCall
from kedro_kubeflow.errors import ProjectError, StepError
from kedro_kubeflow.runtime.missing import packages_of_image

TRAVELS = StepCall(action="run", step="x", code="1" * 64)


def lacking() -> None:
    try:
        import no_such_library.inner  # type: ignore[import-not-found]  # noqa: F401
    except ImportError as error:
        raise ProjectError("The project does not import", where="nodes.py, line 3") from error


def test_the_package_is_named() -> None:
    with pytest.raises(StepError) as raised, packages_of_image(TRAVELS), packages_of_image(TRAVELS):
        lacking()
    assert (
        raised.value.what == "The code that came with the run imports 'no_such_library', which the image does not have"
    )
    assert raised.value.where == "nodes.py, line 3"
    assert "build the image anew" in str(raised.value)


def test_on_this_machine_its_own_environment_stands_for_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOCAL_ENV, "x")
    with pytest.raises(StepError, match="is not installed here") as raised, packages_of_image(TRAVELS):
        lacking()
    assert "install it" in str(raised.value)


def test_other_errors_and_the_image_s_own_code_stay_as_they_are() -> None:
    with pytest.raises(ProjectError), packages_of_image(StepCall(action="run", step="x")):
        lacking()
    with pytest.raises(ModuleNotFoundError), packages_of_image(TRAVELS):
        # The package is there; a part of it that is not is the code's own fault.
        import json.no_such_part  # type: ignore[import-not-found]  # noqa: F401
