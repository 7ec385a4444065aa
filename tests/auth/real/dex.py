"""Dex as a stand-in that a real oauth2-proxy takes for its provider: the pages of `kubeflow_stand_in`, and tokens."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from auth import jwt
from auth.kubeflow_stand_in import USER, Kubeflow
from auth.loopback import Request, Response, as_json, serving

KEY = jwt.key_of("dex")


@dataclass
class Dex(Kubeflow):
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"{self.url}/dex"

    def answer(self, request: Request) -> Response:
        if request.path == "/dex/.well-known/openid-configuration":
            places = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
            said = {name: f"{self.issuer}/{place}" for name, place in places.items()}
            return as_json({"issuer": self.issuer, **said, "id_token_signing_alg_values_supported": ["RS256"]})
        if request.path == "/dex/keys":
            return as_json({"keys": [_public()]})
        if request.path == "/dex/token":
            return self._token(request)
        return super().answer(request)

    def _back(self, identity: str) -> str:
        asked = self._requests[identity]
        url = super()._back(identity)
        self.asked[parse_qs(urlsplit(url).query)["code"][0]] = asked
        return url

    def _token(self, request: Request) -> Response:
        asked = self.asked.pop(request.form.get("code", ""), None)
        if asked is None:
            return as_json({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": asked["client_id"], "sub": "1", "email": USER, "email_verified": True}
        claims |= {"iat": now, "exp": now + 3600, "nonce": asked.get("nonce", "")}
        token = jwt.sign(claims, KEY)
        self.logins += 1
        return as_json({"access_token": token, "id_token": token, "token_type": "bearer", "expires_in": 3600})


def _public() -> dict[str, str]:
    numbers = KEY.public_key().public_numbers()

    def text(value: int) -> str:
        return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()

    return {"kty": "RSA", "alg": "RS256", "use": "sig", "n": text(numbers.n), "e": text(numbers.e)}


@contextmanager
def dex(**options: object) -> Iterator[Dex]:
    it = Dex(**options)  # type: ignore[arg-type]
    with serving(it.answer) as it.url:
        yield it
