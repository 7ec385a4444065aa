"""Kubeflow's front door on 127.0.0.1: Dex behind oauth2-proxy or authservice, and a little of the API behind it.

Pages and redirects are those of the real ones: an unknown visitor is sent to Dex (or shown oauth2-proxy's sign-in page),
which lists its connectors where it has several, shows a form, perhaps asks to approve, and leads back to the callback;
there the guard sets its session cookie.
"""

from __future__ import annotations

import html
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from auth.loopback import Request, Response, as_html, as_json, redirect, serving

USER, PASSWORD = "user@example.com", "correct horse"
SESSION = {"oauth2-proxy": "oauth2_proxy_kubeflow", "authservice": "authservice_session"}
CALLBACK = {"oauth2-proxy": "/oauth2/callback", "authservice": "/authservice/oidc/callback"}


@dataclass
class Kubeflow:
    """The door.

    Attributes:
        guard: who keeps the sessions.
        greeting: what an unknown visitor gets: a ``redirect`` to Dex, the sign-in ``page``, or a ``bare`` 403.
        connectors: Dex's; only ``local`` takes passwords.
        approval: whether Dex asks to approve.
        lifetime: of sessions, in seconds.
        attributes: of the session cookie.
        parts: in how many cookies a session is kept, as oauth2-proxy does with large ones.
        login_action: where Dex' form is sent to, in place of Dex.
        dex: the address of Dex, where it is another one than the door's.
        greets_with: what an unknown visitor gets in place of the greeting.
        answers_login: what the right password gets in place of the way back.
        callback_error: what Dex leads back with in place of a code (RFC 6749, 4.1.2.1).
        secure_callback: the way back is named with https, as an oauth2-proxy with Secure cookies does.
        deaf: the API never accepts a session.
        logins: how often somebody logged in.
        seen: paths of the API that were asked for, with the answer's status.
    """

    guard: str = "oauth2-proxy"
    greeting: str = "redirect"
    connectors: tuple[str, ...] = ("local",)
    approval: bool = False
    lifetime: float = 3600.0
    attributes: str = "; Path=/; HttpOnly"
    parts: int = 1
    login_action: str | None = None
    dex: str = ""
    greets_with: Response | None = None
    answers_login: Response | None = None
    callback_error: str = ""
    secure_callback: bool = False
    broken: bool = False
    forbidden: bool = False
    deaf: bool = False
    url: str = ""
    logins: int = 0
    seen: list[tuple[str, int]] = field(default_factory=list)
    _sessions: dict[str, float] = field(default_factory=dict)
    _requests: dict[str, dict[str, str]] = field(default_factory=dict)
    _codes: set[str] = field(default_factory=set)

    def revoke(self) -> None:
        """End every session, as a restart of oauth2-proxy or of Redis does."""
        self._sessions.clear()

    def answer(self, request: Request) -> Response:
        pages: dict[str, Callable[[Request], Response]] = {
            "/oauth2/start": self._start,
            "/dex/auth": self._choose,
            "/dex/auth/local": self._begin,
            "/dex/auth/local/login": self._login,
            "/dex/approval": self._approve,
            CALLBACK[self.guard]: self._callback,
        }
        if request.path in pages and not (request.path == "/oauth2/start" and self.guard != "oauth2-proxy"):
            return pages[request.path](request)
        known = self._known(request) and not (self.deaf and "/apis/" in request.path)
        answer = self._api(request) if known else self._greet(request)
        self.seen.append((request.path, answer.status))
        return answer

    # The guard

    def _known(self, request: Request) -> bool:
        cookies = request.cookies
        name = SESSION[self.guard]
        whole = cookies.get(name) or "".join(cookies.get(f"{name}_{part}", "") for part in range(self.parts))
        return self._sessions.get(whole, 0) > time.time()

    def _greet(self, request: Request) -> Response:
        if self.greets_with:
            return self.greets_with
        if self.greeting == "redirect":
            return self._to_dex(request.target)
        if self.greeting == "bare":
            return as_json({"error": "unauthenticated"}, 403)
        form = f'<form method="GET" action="/oauth2/start"><input type="hidden" name="rd" value="{request.path}">'
        inputs = '<input name="username"><input type="password" name="password">'
        custom = f'<form method="POST" action="/oauth2/sign_in">{inputs}</form>'
        return as_html(
            f'<title>Sign In</title>{form}<button type="submit">Sign in with Dex</button></form>{custom}', 403
        )

    def _start(self, request: Request) -> Response:
        return self._to_dex(request.query["rd"])

    def _to_dex(self, target: str) -> Response:
        state = f"{secrets.token_hex(8)}:{target}"
        query = {
            "client_id": "kubeflow-oidc-authservice",
            "redirect_uri": self._callback_address(),
            "response_type": "code",
            "scope": "profile email groups openid",
            "state": state,
        }
        csrf = f"_csrf={quote(state)}; Path=/; HttpOnly; Max-Age=900"
        csrf += "; Secure" if "Secure" in self.attributes else ""
        return redirect(f"{self.dex or self.url}/dex/auth?{urlencode(query)}", cookies=(csrf,))

    def _callback_address(self) -> str:
        url = self.url.replace("http://", "https://") if self.secure_callback else self.url
        return f"{url}{CALLBACK[self.guard]}"

    def _callback(self, request: Request) -> Response:
        state, code = request.query.get("state", ""), request.query.get("code", "")
        if code not in self._codes or request.cookies.get("_csrf") != quote(state):
            return as_html("<title>Error</title>Unable to find a valid CSRF token.", 403)
        self._codes.discard(code)
        session = secrets.token_hex(12)
        self._sessions[session] = time.time() + self.lifetime
        self.logins += 1
        name, size = SESSION[self.guard], -(-len(session) // self.parts)
        chunks = [session[i : i + size] for i in range(0, len(session), size)]
        names = [name] if self.parts == 1 else [f"{name}_{part}" for part in range(self.parts)]
        cookies = [f"{n}={chunk}{self.attributes}" for n, chunk in zip(names, chunks, strict=True)]
        return redirect(state.partition(":")[2], cookies=(*cookies, "_csrf=; Path=/; Max-Age=0"))

    # Dex

    def _choose(self, request: Request) -> Response:
        query = urlsplit(request.target).query
        if len(self.connectors) == 1:
            return redirect(f"/dex/auth/{self.connectors[0]}?{query}")
        links = "".join(
            f'<div><a href="/dex/auth/{c}?{html.escape(query)}" target="_self"><button>Log in with {c}</button></a></div>'
            for c in self.connectors
        )
        return as_html(f"<title>dex</title><h2>Log in to dex</h2>{links}")

    def _begin(self, request: Request) -> Response:
        identity = secrets.token_hex(6)
        self._requests[identity] = request.query
        return redirect(f"/dex/auth/local/login?back=&state={identity}")

    def _login(self, request: Request) -> Response:
        if self.broken:
            return as_html("<title>dex</title>Internal Server Error. Database error.", 500)
        identity = request.query["state"]
        if identity not in self._requests:
            return as_html("<title>dex</title>Bad Request. User session error.", 400)
        wrong = ""
        if request.method == "POST":
            if (request.form.get("login"), request.form.get("password")) == (USER, PASSWORD):
                if self.answers_login:
                    return self.answers_login
                step = f"/dex/approval?req={identity}" if self.approval else self._back(identity)
                return redirect(step, 303)
            wrong = '<div id="login-error">Invalid Email Address and password.</div>'
        action = html.escape(self.login_action or request.target)
        back = '<a href="/dex/auth?x=y">Select another login method.</a>' if len(self.connectors) > 1 else ""
        form = (
            f'<form method="post" action="{action}"><input id="login" name="login" type="text">'
            '<input id="password" name="password" type="password"><button type="submit">Login</button></form>'
        )
        return as_html(f"<title>dex</title>{form}{wrong}{back}", 401 if wrong else 200)

    def _approve(self, request: Request) -> Response:
        identity = request.query["req"]
        if request.method == "POST":
            assert request.form == {"req": identity, "approval": "approve"}
            return redirect(self._back(identity), 303)

        def form(approval: str) -> str:
            hidden = {"req": identity, "approval": approval}
            inputs = "".join(f'<input type="hidden" name="{n}" value="{v}">' for n, v in hidden.items())
            return f'<form method="post">{inputs}<button type="submit">x</button></form>'

        return as_html(f"<title>dex</title><h2>Grant Access</h2>{form('approve')}{form('rejected')}")

    def _back(self, identity: str) -> str:
        asked = self._requests.pop(identity)
        code = secrets.token_hex(8)
        self._codes.add(code)
        if self.callback_error:
            error = {"error": self.callback_error, "error_description": "a person is wanted", "state": asked["state"]}
            return f"{asked['redirect_uri']}?{urlencode(error)}"
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    # Behind the door

    def _api(self, request: Request) -> Response:
        if request.path.startswith("/pipeline/apis/"):
            if self.forbidden:
                return as_json({"code": 7, "message": "User is not authorized with reason: no access to team-a"}, 403)
            return as_json({"experiments": [], "path": request.path})
        return as_html("<title>Kubeflow Central Dashboard</title><main-page></main-page>")


@contextmanager
def kubeflow(tls: ssl.SSLContext | None = None, **options: object) -> Iterator[Kubeflow]:
    door = Kubeflow(**options)  # type: ignore[arg-type]
    with serving(door.answer, tls) as door.url:
        yield door
