"""Experiments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfp_server.listing import page
from kfp_server.refusal import Refusal, invalid
from kfp_server.world import World, check_length, found

FIELDS = (
    "id",
    "experiment_id",
    "name",
    "display_name",
    "created_at",
    "namespace",
    "storage_state",
    "last_run_created_at",
)


@dataclass
class Experiments:
    """The experiment store; a single-user server has a default experiment from the start."""

    world: World
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.world.options.multi_user:
            self.create({"display_name": "Default"})

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        name = body.get("display_name", "")
        if not name:
            raise invalid("Experiment's name cannot be empty")
        check_length("Experiment.Name", name, 128)
        namespace = self.world.authorize(body.get("namespace", ""))
        if any(e["display_name"] == name and e.get("namespace", "") == namespace for e in self.experiments.values()):
            said = f"Failed to create a new experiment. The name {name} already exists. Please specify a new name"
            raise Refusal("ALREADY_EXISTS", said, "Failed to create a experiment: Already exist error: ")
        experiment = {
            "experiment_id": self.world.new_id(),
            "display_name": name,
            "description": body.get("description", ""),
            "created_at": self.world.clock.tick(),
            "namespace": namespace,
            "storage_state": "AVAILABLE",
            "last_run_created_at": "1970-01-01T00:00:00Z",
        }
        self.experiments[experiment["experiment_id"]] = experiment
        return experiment

    def get(self, experiment_id: str) -> dict[str, Any]:
        return found(self.experiments, "Experiment", experiment_id, "Failed to fetch experiment")

    def list(self, query: Mapping[str, str]) -> dict[str, Any]:
        namespace = self.world.authorize(query.get("namespace", ""))
        mine = [e for e in self.experiments.values() if e.get("namespace", "") == namespace]
        entries, total, token = page(mine, query, fields=FIELDS, key="experiment_id")
        return {"experiments": entries, "total_size": total, "next_page_token": token}

    def archive(self, experiment_id: str) -> dict[str, Any]:
        self.get(experiment_id)["storage_state"] = "ARCHIVED"
        return {}

    def unarchive(self, experiment_id: str) -> dict[str, Any]:
        self.get(experiment_id)["storage_state"] = "AVAILABLE"
        return {}

    def for_new_run(self, experiment_id: str) -> dict[str, Any]:
        """The experiment of a new run or schedule; the default one where none is named."""
        if experiment_id:
            return self.get(experiment_id)
        if self.world.options.multi_user:
            raise invalid("Experiment ID and namespace cannot both be empty in multi-user mode")
        return next(e for e in self.experiments.values() if e["display_name"] == "Default")
