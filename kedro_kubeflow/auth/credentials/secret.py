"""Secrets by reference: an environment variable, a file, or a program's output."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from kedro_kubeflow.auth.credentials.token import Token, TokenCache, expiry_of
from kedro_kubeflow.config.auth import Secret
from kedro_kubeflow.errors import AuthError

# Long enough for a person who is asked to log in by the program, short enough for a pod that hangs.
COMMAND_TIMEOUT = 120.0
# A writer that truncates before it writes leaves the file empty for a moment.
EMPTY_FILE_RETRIES = 3
EMPTY_FILE_PAUSE = 0.05


class SecretSource(Protocol):
    """Somewhere to read a secret from."""

    def read(self) -> str:
        """The secret as it is now.

        Raises:
            AuthError: there is none.
        """

    def renew(self) -> bool:
        """Forget what is cached; whether `read` may now give something else."""


def source_of(reference: Secret, env: Mapping[str, str] | None = None) -> SecretSource:
    """Where a reference of the configuration points.

    Args:
        reference: exactly one of a variable, a file and a command.
        env: the environment; the process' own if it is not given.
    """
    if reference.env:
        return EnvironmentVariable(reference.env, os.environ if env is None else env)
    if reference.file:
        return File(reference.file)
    return Command(reference.command or (), ttl=reference.ttl)


class EnvironmentVariable:
    """A secret in an environment variable."""

    def __init__(self, name: str, env: Mapping[str, str]) -> None:
        self.name = name
        self._env = env

    def read(self) -> str:
        """See `SecretSource`."""
        value = self._env.get(self.name, "").strip()
        if not value:
            raise AuthError(f"The environment variable {self.name} is not set", cure=f"set {self.name} to the secret")
        return value

    def renew(self) -> bool:
        """No: a process' environment is not changed from outside."""
        return False

    def __repr__(self) -> str:
        return f"environment variable {self.name}"


class File:
    """A secret in a file, such as a mounted one that Kubernetes rotates; read each time, as reading costs nothing."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()

    def read(self) -> str:
        """See `SecretSource`."""
        for _ in range(EMPTY_FILE_RETRIES):
            if value := self._text():
                return value
            time.sleep(EMPTY_FILE_PAUSE)
        raise AuthError(
            "The file that should hold a secret is empty", where=str(self.path), cure="put the secret there"
        )

    def renew(self) -> bool:
        """Yes: it may have been rotated since it was read."""
        return True

    def _text(self) -> str:
        try:
            return self.path.read_text("utf-8").strip()
        except OSError as error:
            raise AuthError(
                f"The file that should hold a secret cannot be read: {error.strerror or type(error).__name__}",
                where=str(self.path),
                cure="mount or write it there, readable for this user",
            ) from None
        except UnicodeDecodeError:
            raise AuthError("The file that should hold a secret is no text", where=str(self.path)) from None

    def __repr__(self) -> str:
        return f"file {self.path}"


class Command:
    """A secret that a program prints, such as ``gcloud auth print-identity-token``.

    No shell is started. What the program writes to stderr goes to this process' stderr, so that it can speak for
    itself (and ask somebody to log in); its output is shown nowhere.

    Args:
        argv: the program and its arguments.
        ttl: for how many seconds an output holds that is no JSON Web Token.
    """

    def __init__(self, argv: tuple[str, ...], *, ttl: float = 300.0) -> None:
        self._argv = argv
        self._ttl = ttl
        self._cache = TokenCache(lambda _: self._run())

    def read(self) -> str:
        """See `SecretSource`."""
        return self._cache.get()

    def renew(self) -> bool:
        """Yes: the program is asked again."""
        self._cache.drop()
        return True

    def _run(self) -> Token:
        where = repr(self)
        try:
            done = subprocess.run(
                self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT, check=False
            )
        except OSError as error:
            raise AuthError(
                f"The program that should print a secret cannot be started: {error.strerror}",
                where=where,
                cure="install it, or mend the command",
            ) from None
        except subprocess.TimeoutExpired:
            # Not chained: it carries the whole argv.
            raise AuthError(
                f"The program printed no secret within {COMMAND_TIMEOUT:.0f} seconds", where=where
            ) from None
        if done.returncode != 0:
            raise AuthError(
                f"The program that should print a secret failed with exit code {done.returncode}",
                where=where,
                cure="run it by hand; its own message is in this process' stderr",
            )
        value = done.stdout.decode("utf-8", errors="replace").strip()
        if not value:
            raise AuthError("The program that should print a secret printed nothing", where=where)
        return Token(value, expires_at=expiry_of(value.rpartition(" ")[2]) or time.time() + self._ttl)

    def __repr__(self) -> str:
        # Arguments may hold what nobody should read.
        return f"command {self._argv[0]}"
