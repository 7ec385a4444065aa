from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from auth.real.tools import HERE, free_port, provider_folder, running


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real OpenID Connect provider: the public client `kedro-kubeflow`, anybody's name and password."""
    folder, port = provider_folder(), free_port()
    log = tmp_path_factory.mktemp("provider") / "provider.log"
    command = ["node", str(HERE / "provider.mjs"), str(folder), str(port)]
    url = f"http://127.0.0.1:{port}"
    with running(command, f"{url}/jwks", log, {"NODE_NO_WARNINGS": "1"}):
        yield url


@pytest.fixture
def logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where logins are kept, in place of the keyring of whoever runs the tests."""
    folder = tmp_path / "logins"
    monkeypatch.setenv("KEDRO_KUBEFLOW_LOGINS", str(folder))
    return folder
