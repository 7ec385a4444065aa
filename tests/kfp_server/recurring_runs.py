"""Recurring runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kfp_server.experiments import Experiments
from kfp_server.listing import page
from kfp_server.refusal import invalid
from kfp_server.runs import ENDED, Runs
from kfp_server.workflow import fnv
from kfp_server.world import World, found

FIELDS = ("id", "recurring_run_id", "name", "display_name", "created_at", "updated_at", "description")
# robfig/cron v1 with seconds: five fields would be read as second to month, so whoever sends five means something else.
_CRON = re.compile(r"(@\w+( \S+)?)|(\S+ ){5}\S+")


@dataclass
class RecurringRuns:
    """The store of recurring runs; nothing fires by itself."""

    world: World
    runs: Runs
    experiments: Experiments
    recurring: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if not body.get("display_name"):
            raise invalid("Recurring run name is empty. Please specify a valid name")
        experiment = self.experiments.for_new_run(body.get("experiment_id", ""))
        namespace = self.world.authorize(experiment.get("namespace", ""))
        most = int(body.get("max_concurrency", 0))
        if not 1 <= most <= 10:
            raise invalid(f"The max concurrency of the recurring run is out of range. Support 1-10. Received {most}.")
        self._check_trigger(body.get("trigger", {}))
        spec, _ = self.runs._source(body)
        self.runs._check_parameters(body.get("runtime_config", {}).get("parameters", {}), spec)
        now = self.world.clock.tick()
        kept = (
            "display_name", "description", "runtime_config", "trigger", "mode", "no_catchup", "service_account",
            "pipeline_version_reference", "pipeline_spec", "plugins_input",
        )  # fmt: skip
        entry = {
            **{k: body[k] for k in kept if body.get(k)},
            "recurring_run_id": self.world.new_id(),
            "experiment_id": experiment["experiment_id"],
            "max_concurrency": str(most),
            "created_at": now,
            "updated_at": now,
            "status": "ENABLED" if body.get("mode") == "ENABLE" else "DISABLED",
            "namespace": namespace,
        }
        self.recurring[entry["recurring_run_id"]] = entry
        return entry

    def get(self, key: str) -> dict[str, Any]:
        return found(self.recurring, "Job", key, "Failed to fetch a recurring run")

    def list(self, query: Mapping[str, str]) -> dict[str, Any]:
        if query.get("experiment_id"):
            mine = [r for r in self.recurring.values() if r["experiment_id"] == query["experiment_id"]]
        else:
            namespace = self.world.authorize(query.get("namespace", ""))
            mine = [r for r in self.recurring.values() if r["namespace"] == namespace]
        entries, total, token = page(mine, query, fields=FIELDS, key="recurring_run_id")
        return {"recurringRuns": entries, "total_size": total, "next_page_token": token}

    def switch(self, key: str, status: str) -> dict[str, Any]:
        self.get(key)["status"] = status
        self.get(key)["mode"] = "ENABLE" if status == "ENABLED" else "DISABLE"
        return {}

    def delete(self, key: str) -> dict[str, Any]:
        found(
            self.recurring, "Job", key,
            "Failed to delete a recurring run: Failed to delete recurring run {key}. Check if exists",
        )  # fmt: skip
        del self.recurring[key]
        # The ScheduledWorkflow owns its Workflows: they go too, and their runs stay as they were.
        for run_id, run in self.runs.runs.items():
            if run.get("recurring_run_id") == key and run["state"] not in ENDED:
                course = self.runs.courses[run_id]
                course.frames = [replace(course.frame, held=True)]
                course.at = 0
        return {}

    def fire(self, key: str) -> dict[str, Any]:
        """One run, as the controller starts it when the time has come. The server names it, and it is never PENDING."""
        job = self.get(key)
        kept = ("runtime_config", "pipeline_version_reference", "pipeline_spec", "experiment_id")
        body = {k: job[k] for k in kept if job.get(k)}
        started = sum(r.get("recurring_run_id") == key for r in self.runs.runs.values()) + 1
        schedule = re.sub(r"[^a-z0-9]", "", job["display_name"].lower())[:12] + key[:5]
        name = f"{schedule}-{started}-{fnv(schedule + str(started))}"
        run = self.runs.create({**body, "display_name": name, "recurring_run_id": key})
        self.runs.courses[run["run_id"]].workflow = name
        return run

    def _check_trigger(self, trigger: Mapping[str, Any]) -> None:
        cron, periodic = trigger.get("cron_schedule"), trigger.get("periodic_schedule")
        if bool(cron) == bool(periodic):
            raise invalid("A recurring run needs either a cron or a periodic schedule")
        if cron and not _CRON.fullmatch(cron.get("cron", "")):
            fields = len(cron.get("cron", "").split())
            said = "Schedule cron is not a supported format(https://godoc.org/github.com/robfig/cron). Error: "
            said += f"Expected 5 to 6 fields, found {fields}: {cron.get('cron', '')}"
            raise invalid(said, "Failed to create a recurring run due to conversion error")
        if periodic and int(periodic.get("interval_second", 0)) < 1:
            raise invalid("Found invalid period schedule interval. Set at interval to least 1 second.")
