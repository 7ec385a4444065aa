"""Where a person's login is kept: the system's keyring, or a file that nobody else may read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from kedro_kubeflow.errors import AuthError

log = logging.getLogger(__name__)

SERVICE = "kedro-kubeflow"
FOLDER_VARIABLE = "KEDRO_KUBEFLOW_LOGINS"
"""A folder in place of the keyring and of ``~/.config/kedro-kubeflow/logins``."""


class LoginStore:
    """The login of one client at one provider.

    Args:
        issuer: the provider.
        client_id: the client.
    """

    def __init__(self, issuer: str, client_id: str) -> None:
        self._key = f"{issuer} {client_id}"

    def load(self) -> dict[str, Any] | None:
        """What the provider gave, and when it ends; None where nobody is logged in.

        Raises:
            AuthError: it cannot be read.
        """
        text = self._from_keyring() or self._from_file()
        if not text:
            return None
        try:
            kept = json.loads(text)
        except ValueError:
            kept = None
        if not isinstance(kept, dict):
            raise AuthError(
                "The login that is kept cannot be read", where=self.place, cure="log in again: kedro kubeflow login"
            )
        return kept

    def save(self, kept: dict[str, Any]) -> str:
        """Keep it; gives the place, for people."""
        text = json.dumps(kept)
        ring = _keyring()
        if ring is not None:
            try:
                ring.set_password(SERVICE, self._key, text)
            except Exception as error:
                # Locked, too long for it, or a service that is not there after all.
                log.info("The keyring does not take the login (%s)", type(error).__name__)
            else:
                self.file.unlink(missing_ok=True)
                return f"the keyring ({type(ring).__module__.rpartition('.')[2]})"
        self._write(text)
        return str(self.file)

    def forget(self) -> bool:
        """Whether there was anything to forget."""
        there = self.file.is_file()
        self.file.unlink(missing_ok=True)
        ring = _keyring()
        if ring is not None and self._from_keyring():
            with contextlib.suppress(Exception):
                ring.delete_password(SERVICE, self._key)
                there = True
        return there

    @property
    def place(self) -> str:
        """The file, for people."""
        return str(self.file)

    @property
    def file(self) -> Path:
        """Where it is without a keyring."""
        named = os.environ.get(FOLDER_VARIABLE)
        config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
        folder = Path(named).expanduser() if named else config / "kedro-kubeflow" / "logins"
        return folder / f"{hashlib.sha256(self._key.encode()).hexdigest()[:32]}.json"

    def _from_keyring(self) -> str | None:
        ring = _keyring()
        if ring is None:
            return None
        try:
            found = ring.get_password(SERVICE, self._key)
        except Exception as error:
            log.info("The keyring cannot be read (%s)", type(error).__name__)
            return None
        return str(found) if found else None

    def _from_file(self) -> str | None:
        try:
            mode = self.file.stat().st_mode
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise AuthError(
                    "The login that is kept may be read by others",
                    where=self.place,
                    cure=f"chmod 600 {self.file}, or log in again: kedro kubeflow login",
                )
            return self.file.read_text("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AuthError(f"The login that is kept cannot be read: {error.strerror}", where=self.place) from None

    def _write(self, text: str) -> None:
        """Whole or not at all, and never readable for others, not even for a moment."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made for its owner alone, and under a name that nobody else has.
        descriptor, new = tempfile.mkstemp(prefix=".new-", dir=self.file.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(new).replace(self.file)
        finally:
            Path(new).unlink(missing_ok=True)


def _keyring() -> Any:
    """The system's keyring; None where there is none that can be used."""
    if os.environ.get(FOLDER_VARIABLE):
        return None
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    ring = keyring.get_keyring()
    return None if isinstance(ring, fail.Keyring | null.Keyring) else ring
