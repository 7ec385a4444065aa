"""A real oauth2-proxy before a little API, set up as Kubeflow's manifests do it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from auth.loopback import Request, Response, as_html, as_json, serving
from auth.real.tools import free_port, proxy_program, running


@dataclass
class Door:
    url: str = ""
    heard: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.heard.append(request)
        if "/apis/" in request.path:
            return as_json({"runs": [], "multi_user": False})
        return as_html("<title>Kubeflow Central Dashboard</title>")


@contextmanager
def oauth2_proxy(issuer: str, folder: Path, **options: str) -> Iterator[Door]:
    """The proxy; options are its flags, with `_` for `-`."""
    program, port, door = proxy_program(), free_port(), Door()
    with serving(door.answer) as upstream:
        flags = {
            "http_address": f"127.0.0.1:{port}",
            "upstream": upstream,
            "provider": "oidc",
            "oidc_issuer_url": issuer,
            "client_id": "oauth2-proxy",
            "client_secret": "proxy-secret",
            "cookie_secret": "0123456789abcdef0123456789abcdef",
            "cookie_name": "oauth2_proxy_kubeflow",
            "cookie_secure": "false",
            "email_domain": "*",
            "scope": "openid profile email",
            "skip_provider_button": "true",
            "skip_jwt_bearer_tokens": "true",
            "insecure_oidc_allow_unverified_email": "true",
            "pass_host_header": "false",
            **options,
        }
        command = [str(program), *(f"--{name.replace('_', '-')}={value}" for name, value in flags.items())]
        with running(command, f"http://127.0.0.1:{port}/ping", folder / "proxy.log"):
            door.url = f"http://127.0.0.1:{port}"
            yield door
