from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from kedro_kubeflow.auth.kubeflow.login_store import LoginStore
from kedro_kubeflow.errors import AuthError

KEPT = {"id_token": "s3cret", "refresh_token": "s3cret too"}
RING = """
import json
from pathlib import Path
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

FILE = Path(__file__).with_name("ring.json")

class Ring(KeyringBackend):
    '''The system's keyring, as a file.'''
    priority = 1

    def _all(self):
        return json.loads(FILE.read_text()) if FILE.exists() else {}

    def get_password(self, service, username):
        return self._all().get(f"{service}/{username}")

    def set_password(self, service, username, password):
        if Path(__file__).with_name("locked").exists():
            raise KeyringLocked("no")
        FILE.write_text(json.dumps({**self._all(), f"{service}/{username}": password}))

    def delete_password(self, service, username):
        left = self._all()
        if left.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("none")
        FILE.write_text(json.dumps(left))
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoginStore:
    monkeypatch.setenv("KEDRO_KUBEFLOW_LOGINS", str(tmp_path / "logins"))
    return LoginStore("https://id.example.com", "kedro-kubeflow")


def test_a_file_for_nobody_else(store: LoginStore) -> None:
    assert store.load() is None
    assert not store.forget()
    old = os.umask(0)
    try:
        place = store.save(KEPT)
    finally:
        os.umask(old)
    assert place == str(store.file)
    assert stat.S_IMODE(store.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.file.parent.stat().st_mode) == 0o700
    assert store.load() == KEPT
    assert [file.name for file in store.file.parent.iterdir()] == [store.file.name]
    assert "id.example.com" not in store.file.name
    # Another client, or another provider, is another login.
    assert LoginStore("https://id.example.com", "other").load() is None
    assert store.forget()
    assert store.load() is None


def test_a_file_that_others_may_read(store: LoginStore) -> None:
    store.save(KEPT)
    store.file.chmod(0o644)
    with pytest.raises(AuthError, match="may be read by others") as error:
        store.load()
    assert "chmod 600" in str(error.value.cure)
    assert store.forget()


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_a_file_that_is_none_of_ours(store: LoginStore, text: str) -> None:
    store.save(KEPT)
    store.file.write_text(text)
    with pytest.raises(AuthError, match="cannot be read") as error:
        store.load()
    assert error.value.cure == "log in again: kedro kubeflow login"


def test_a_link_in_the_way_is_not_followed(store: LoginStore, tmp_path: Path) -> None:
    """What is written goes into a new file, which then takes the old one's place."""
    store.save(KEPT)
    store.file.unlink()
    store.file.symlink_to(tmp_path / "elsewhere")
    store.save(KEPT)
    assert not (tmp_path / "elsewhere").exists()
    assert not store.file.is_symlink()


def test_two_who_save_at_once(store: LoginStore) -> None:
    failures: list[BaseException] = []

    def save(n: int) -> None:
        try:
            store.save({**KEPT, "n": n})
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=save, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (store.load() or {})["refresh_token"] == "s3cret too"


SCRIPT = """
import json, sys
from kedro_kubeflow.auth.kubeflow.login_store import LoginStore
store = LoginStore("https://id.example.com", "kedro-kubeflow")
saved = store.save({"id_token": "s3cret"})
loaded = store.load()
file = store.file.exists()
print(json.dumps([saved, loaded, file, store.forget(), store.load(), store.forget()]))
"""


@pytest.mark.parametrize("locked", [False, True])
def test_the_keyring_where_there_is_one(tmp_path: Path, locked: bool) -> None:
    pytest.importorskip("keyring")
    (tmp_path / "ring.py").write_text(RING)
    if locked:
        (tmp_path / "locked").touch()
    env = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": "ring.Ring",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    env.pop("KEDRO_KUBEFLOW_LOGINS", None)
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    result: list[Any] = json.loads(done.stdout)
    assert result[0].startswith(str(tmp_path) if locked else "the keyring (ring)") or "keyring" in result[0]
    assert result[1:] == [{"id_token": "s3cret"}, locked, True, None, False]
