"""Which line of its set-up a gateway lacks that refuses the token of a person's login.

oauth2-proxy: https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview (``skip_jwt_bearer_tokens``,
``extra_jwt_issuers``). Istio: https://istio.io/latest/docs/reference/config/security/request_authentication/.
"""

from __future__ import annotations

from kedro_kubeflow.auth.kubeflow.answer import Answer
from kedro_kubeflow.auth.kubeflow.front import AUTHSERVICE, DEX, OAUTH2_PROXY, login_wanted_by
from kedro_kubeflow.config.auth import BrowserAuth

# Envoy's own words (jwt_authn), and the part of Istio's RequestAuthentication that each is about.
_ISTIO = {
    "jwt issuer is not configured": "no `issuer: {issuer}` in a RequestAuthentication",
    "audiences in jwt are not allowed": "the audience {client!r} is not among `audiences` of the RequestAuthentication",
    "jwt verification fails": "`jwksUri` of the RequestAuthentication is not that of {issuer}",
    "jwks": "the RequestAuthentication cannot fetch the keys of {issuer}: check its `jwksUri`",
    "jwt is expired": "the token has expired by the gateway's clock",
    "jwt is missing": "the gateway wants the token in another header (`fromHeaders` of the RequestAuthentication)",
    "rbac: access denied": "no AuthorizationPolicy lets requests with this token through "
    "(`requestPrincipals: [{issuer}/*]`)",
}


def missing_at_gateway(answer: Answer, config: BrowserAuth) -> tuple[str, str] | None:
    """What a gateway that refuses a token lacks, and what an administrator adds; None where it is not known."""
    body = answer.body.lower()
    names = {"issuer": config.issuer, "client": config.client_id}
    for sign, lacks in _ISTIO.items():
        if sign in body:
            return f"Istio refuses the login's token: {lacks.format(**names)}", _docs("Istio")
    if "no user identity header" in body:
        return (
            "the gateway lets the login's token through, but tells Kubeflow Pipelines nobody: `outputClaimToHeaders` of "
            "the RequestAuthentication (`kubeflow-userid` from `email`) is missing, or oauth2-proxy's header is",
            _docs("Istio"),
        )
    if answer.by_kfp:
        return None
    who = login_wanted_by(answer)
    if who in (OAUTH2_PROXY, DEX, None) and (who or answer.status in (401, 403)):
        return (
            "oauth2-proxy, or what stands in its place, does not take the login's token",
            f"an administrator sets `skip_jwt_bearer_tokens = true` and `extra_jwt_issuers = "
            f'"{config.issuer}={config.client_id}"` there; {_docs("oauth2-proxy")}',
        )
    if who == AUTHSERVICE:
        return "authservice takes no tokens of a person's login", "use `type: dex`, or a gateway with oauth2-proxy"
    return None


def _docs(part: str) -> str:
    return f"the lines for {part} stand in the documentation, “Log in with a browser”"
