"""What `kedro run` says of itself where it is not asked: hooks count on sequences and mappings, which may be empty.

https://docs.kedro.org/en/stable/api/framework/kedro.framework.hooks/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_ASKED: Mapping[str, Any] = {
    "tags": (),
    "from_nodes": [],
    "to_nodes": [],
    "node_names": (),
    "from_inputs": [],
    "to_outputs": [],
    "namespaces": [],
    "load_versions": {},
    "only_missing_outputs": False,
}
