"""A request that MLflow must not send, as there are no credentials for it: how that is said, and how it is read again."""

from __future__ import annotations

import re

from kedro_kubeflow.errors import KedroKubeflowError

_MARK = "(not sent, as there are no credentials)"
_SAID = re.compile(re.escape(_MARK) + r" (?P<said>.*?)(?:['\"]\)?)?\s*$", re.DOTALL)


def unsendable(error: Exception) -> dict[str, str]:
    """A header that HTTP libraries refuse to send, for its line break; MLflow raises their refusal with this text."""
    text = str(error) if isinstance(error, KedroKubeflowError) else f"{type(error).__name__}: {error}"
    return {"Authorization": "\n" + f"{_MARK} {' '.join(text.split())}"}


def why_unsent(text: str) -> tuple[str, str | None] | None:
    """What is missing and its cure, out of the text of MLflow's error; None where it is another error.

    >>> why_unsent("failed with exception Invalid …: '\\\\n(not sent, as there are no credentials) PW is not set cure: set PW'")
    ('PW is not set', 'set PW')
    """
    found = _SAID.search(text)
    if not found:
        return None
    what, _, cure = found["said"].partition(" cure: ")
    return what.strip(), cure.strip() or None
