"""Messages at the end of a run: a webhook's JSON, or a message to a Slack incoming webhook (https://docs.slack.dev/messaging/)."""

from __future__ import annotations

import html
import json
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from kedro_kubeflow.contract import LOCAL_ENV, NOTIFY_ENV
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.runtime.outcome import Outcome
from kedro_kubeflow.runtime.without_redirects import send

_SECONDS = 10
_PAUSES = (1.0, 3.0)
_MARKS = {"succeeded": ":white_check_mark:", "failed": ":x:", "cancelled": ":no_entry_sign:"}

_log = logging.getLogger(__name__)


def notify(notification: Mapping[str, Any], outcome: Outcome, *, env: str | None, ui_host: str | None) -> None:
    """Send one message.

    Args:
        notification: ``type``, and ``url_env``, the variable that holds the address.

    Raises:
        StepError: there is no address, or its server does not take the message. The address is a secret, and not said.
    """
    variable = str(notification["url_env"])
    url = os.environ.get(variable, "").strip()
    if not url and LOCAL_ENV in os.environ and variable.startswith(NOTIFY_ENV):
        _log.warning("A notification is not sent: its address is in a secret of the cluster")
        return
    if not url.startswith(("http://", "https://")):
        raise StepError(
            f"A notification has no address: the environment variable {variable} holds none",
            where="kubeflow.yml, run_config.notifications",
            cure="give it to the exit task with run_config.env, from a secret, or name the secret as `url_secret`",
        )
    facts = {**outcome.facts(), **({"env": env} if env else {})}
    if ui_host and LOCAL_ENV not in os.environ:
        facts["run_url"] = f"{ui_host}/#/runs/details/{outcome.run_id}"
    _post(url, slack_message(facts) if notification["type"] == "slack" else facts)
    _log.info("Notification sent to %s", urlsplit(url).hostname)


def slack_message(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The text, in Slack's mark-up, for a run's facts."""
    run = f"<{facts['run_url']}|{facts['run_id']}>" if "run_url" in facts else f"`{facts['run_id']}`"
    lines = [f"{_MARKS[facts['status']]} *{_plain(facts['pipeline'])}* {facts['status']}: run {run}"]
    if facts["failed_steps"]:
        lines.append("Failed: " + ", ".join(f"`{_plain(step)}`" for step in facts["failed_steps"]))
    if facts.get("error"):
        lines.append(f"> {_plain(facts['error'])}")
    return {"text": "\n".join(lines)}


def _plain(text: str) -> str:
    """Text in which Slack finds no mark-up of links and mentions."""
    return " ".join(html.escape(text, quote=False).split())


def _post(url: str, message: Mapping[str, Any]) -> None:
    request = urllib.request.Request(  # noqa: S310
        url, data=json.dumps(message).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    for pause in (*_PAUSES, None):
        try:
            send(request, timeout=_SECONDS).close()
            return
        except urllib.error.HTTPError as error:
            problem, again = f"it answers {error.code}", error.code >= 500 or error.code == 429
        except OSError as error:
            reason = getattr(error, "reason", error)
            problem, again = f"{type(reason).__name__}: {getattr(reason, 'strerror', None) or 'no connection'}", True
        if pause is None or not again:
            raise StepError(f"A notification to {urlsplit(url).hostname} is not taken: {problem}")
        time.sleep(pause)
