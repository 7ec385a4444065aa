"""JSON Web Tokens, signed with RS256 (RFC 7518, 3.3)."""

from __future__ import annotations

import base64
import functools
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@functools.cache
def key_of(_owner: str) -> rsa.RSAPrivateKey:
    """An owner's key, the same one in all tests: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def sign(claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    message = f"{_encode({'alg': 'RS256', 'typ': 'JWT'})}.{_encode(claims)}"
    signature = key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{message}.{_base64(signature)}"


def verified(token: str, key: rsa.RSAPublicKey) -> dict[str, Any] | None:
    """The claims, or None where the signature is wrong or it is no token at all."""
    try:
        message, _, signature = token.rpartition(".")
        key.verify(_bytes(signature), message.encode(), padding.PKCS1v15(), hashes.SHA256())
        header, payload = (json.loads(_bytes(part)) for part in message.split("."))
    except (InvalidSignature, ValueError):
        return None
    return dict(payload) if header["alg"] == "RS256" else None


def _encode(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def claims(token: str) -> dict[str, Any]:
    """The claims, whoever signed them."""
    return dict(json.loads(_bytes(token.split(".")[1])))
