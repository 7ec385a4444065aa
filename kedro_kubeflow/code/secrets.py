"""Files that go along hold nothing that looks like a secret.

What a secret looks like is known by detect-secrets (https://github.com/Yelp/detect-secrets); a line that says
``pragma: allowlist secret`` is let through, as its documentation describes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kedro_kubeflow.errors import ConfigError

# Detectors of a certain form: no measures of entropy, which take digests and names for secrets.
_DETECTORS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector", "JwtTokenDetector",
    "KeywordDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector",
    "SendGridDetector", "SlackDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)  # fmt: skip
_FILTERS = (
    "is_sequential_string",
    "is_templated_secret",
    "is_indirect_reference",
    "is_lock_file",
    "is_not_alphanumeric_string",
)
_SHOWN = 10


def refuse_secrets(root: Path, names: Iterable[str]) -> None:
    """Look through files.

    Raises:
        ConfigError: there is what looks like a secret; says in which file and line, and never the secret.
    """
    found = [f"{name}, line {line}: {kind}" for name in names for line, kind in _in_file(root / name)]
    if not found:
        return
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    raise ConfigError(
        "Code that goes along with the run holds what looks like a secret",
        where="; ".join([*found[:_SHOWN], *more]),
        cure="read it from an environment variable or a credentials file; if it is none, end the line with "
        "`# pragma: allowlist secret`, or name the file in `code.exclude`",
    )


def _in_file(path: Path) -> list[tuple[int, str]]:
    from detect_secrets.core import scan
    from detect_secrets.settings import transient_settings

    settings = {
        "plugins_used": [{"name": name} for name in _DETECTORS],
        "filters_used": [{"path": f"detect_secrets.filters.heuristic.{name}"} for name in _FILTERS]
        + [{"path": "detect_secrets.filters.allowlist.is_line_allowlisted"}],
    }
    with transient_settings(settings):
        return sorted({(found.line_number, found.type) for found in scan.scan_file(str(path))})
