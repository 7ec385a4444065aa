"""Schedules: made, left alone, replaced, listed, deleted; never lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kfp_server import NO_UPSTREAM, Answer, KfpServer, Reset

from cli.conftest import Kedro

NIGHTLY = ("-c", "0 3 * * *")


def only(server: KfpServer) -> dict:
    [schedule] = server.recurring_runs.recurring.values()
    return schedule


@pytest.mark.usefixtures("uploaded")
class TestMake:
    def test_by_cron(self, server: KfpServer, kedro: Kedro, uploaded: dict) -> None:
        done = kedro("schedule", *NIGHTLY).ok()
        made = only(server)
        link = f"{server.url}/#/recurringrun/details/{made['recurring_run_id']}"
        assert done.out == f"demo/default: created (0 0 3 * * *)\n  {link}\n"
        assert made["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * *"}}
        assert made["pipeline_version_reference"]["pipeline_version_id"] == uploaded["version_id"]
        assert (made["status"], made["max_concurrency"], made.get("no_catchup", False)) == ("ENABLED", "1", False)
        assert server.experiments.get(made["experiment_id"])["display_name"] == "Demo"

    def test_with_everything(self, server: KfpServer, kedro: Kedro) -> None:
        words = ["--interval", "90m", "--start-time", "2026-03-01", "--end-time", "2026-04-01T12:00:00+02:00"]
        words += ["--max-concurrency", "3", "--no-catchup", "--params", "limit=9", "--experiment-name", "nights"]
        words += ["--run-name", "night {limit} {model.type}", "--disabled", "--service-account", "trainer"]
        made = kedro("schedule", *words, "--output", "json").ok().json
        assert [c["action"] for c in made] == ["create"]
        made = only(server)
        window = {"start_time": "2026-03-01T00:00:00+00:00", "end_time": "2026-04-01T12:00:00+02:00"}
        assert made["trigger"] == {"periodic_schedule": {"interval_second": "5400", **window}}
        assert (made["display_name"], made["status"], made["no_catchup"]) == ("night 9 tree", "DISABLED", True)
        assert (made["max_concurrency"], made["service_account"]) == ("3", "trainer")
        assert made["runtime_config"] == {"parameters": {"limit": 9}}
        assert server.experiments.get(made["experiment_id"])["display_name"] == "nights"

    def test_of_the_newest_version_at_each_start(self, server: KfpServer, kedro: Kedro) -> None:
        kedro("schedule", *NIGHTLY, "--version", "latest").ok()
        kedro("upload-pipeline", "--force").ok()
        fired = server.recurring_runs.fire(only(server)["recurring_run_id"])
        newest = server.pipelines.newest(fired["pipeline_version_reference"]["pipeline_id"])
        assert fired["pipeline_version_reference"]["pipeline_version_id"] == newest["pipeline_version_id"]

    def test_of_a_job(self, server: KfpServer, kedro: Kedro, configure: Callable[..., None]) -> None:
        configure(jobs={"nightly": {"parameters": {"limit": 8}, "schedule": "0 3 * * *"}, "never": {}})
        kedro("upload-pipeline", "--job", "nightly").ok()
        assert "demo-nightly/default: created (0 0 3 * * *)" in kedro("schedule", "--job", "nightly").ok().out
        assert "demo-nightly/default: unchanged" in kedro("schedule", "--all").ok().out
        assert "Nothing says when" in kedro("schedule", "--job", "never").failed(2).err
        assert "Did you mean 'nightly'?" in kedro("schedule", "--job", "nightyl", *NIGHTLY).failed(2).err
        assert "demo-nightly/default: deleted" in kedro("schedule", "--job", "nightly", "--delete").ok().out

    def test_the_name_of_a_jobs_schedule_has_the_jobs_own_values(
        self, server: KfpServer, kedro: Kedro, configure: Callable[..., None]
    ) -> None:
        schedule = {"cron": "0 3 * * *", "run_name": "night {limit} {model.type} {model.depth}"}
        configure(jobs={"nightly": {"parameters": {"limit": 8, "model": {"depth": 9}}, "schedule": schedule}})
        kedro("upload-pipeline", "--job", "nightly").ok()
        kedro("schedule", "--job", "nightly").ok()
        assert only(server)["display_name"] == "night 8 tree 9"
        kedro("schedule", "--job", "nightly", "--params", "limit=7").ok()
        assert only(server)["display_name"] == "night 7 tree 9"
        run_id = (
            kedro("run-once", "--job", "nightly", "--from-version", "latest", "--run-name", "{limit}").ok().out.strip()
        )
        assert server.runs.get(run_id)["display_name"] == "8"

    def test_what_kubeflow_fills_in_passes_as_it_is(
        self, server: KfpServer, kedro: Kedro, configure: Callable[..., None]
    ) -> None:
        day = "[[ScheduledTime.2006-01-02]]"
        said = kedro("schedule", *NIGHTLY, "--param", f'limit="{day}"').failed(2).err
        assert "becomes text when the run starts, and the parameter is a whole number" in said
        assert "has no quotes" in kedro("schedule", *NIGHTLY, "--param", f"limit={day}").failed(2).err
        for given, value in {
            f'limit="of {day}"': f"of {day}",
            f'limit=["{day}", 1]': [day, 1],
            f'limit={{a: {{b: "{day}"}}}}': {"a": {"b": day}},
        }.items():
            kedro("upload-pipeline", "--force", "--param", given.replace(day, "x")).ok()
            kedro("schedule", *NIGHTLY, "--param", given).ok()
            assert only(server)["runtime_config"]["parameters"] == {"limit": value}
        nightly = {"cron": "0 3 * * *", "params": {"limit": {"a": {"b": day}}}}
        configure({"schedules": {"default_schedule": nightly}})
        assert "unchanged" in kedro("schedule").ok().out, "kubeflow.yml says the same"

    def test_of_one_version(self, server: KfpServer, kedro: Kedro, uploaded: dict) -> None:
        kedro("upload-pipeline", "--force").ok()
        kedro("schedule", *NIGHTLY, "--version", uploaded["version"]).ok()
        assert only(server)["pipeline_version_reference"]["pipeline_version_id"] == uploaded["version_id"]

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (("-c", "* * *"), "has 3 fields"),
            (("-c", "0 25 * * *"), "hour: 25 is not within 0-23"),
            (("-c", "0 3 * * 7"), "Sunday is 0 here"),
            (("--interval", "soon"), "no length of time"),
            (("--interval", "0"), "greater than or equal to 1"),
            ((*NIGHTLY, "--interval", "60"), "one of `cron` and `interval`"),
            ((*NIGHTLY, "--max-concurrency", "11"), "less than or equal to 10"),
            ((*NIGHTLY, "--start-time", "tomorrow"), "'start_time'"),
            ((*NIGHTLY, "--start-time", "2026-02-01", "--end-time", "2026-01-01"), "before"),
            ((*NIGHTLY, "--params", "limti=1"), "Did you mean 'limit'?"),
            ((*NIGHTLY, "--run-name", "{nope}"), "'nope'"),
            ((), "Nothing says when"),
            (("--all",), "There are no schedules"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    def test_what_is_wrong(self, server: KfpServer, kedro: Kedro, words: tuple[str, ...], what: str) -> None:
        assert what in kedro("schedule", *words).failed(2).err
        assert server.recurring_runs.recurring == {}


def test_a_pipeline_that_is_not_uploaded(server: KfpServer, kedro: Kedro) -> None:
    done = kedro("schedule", *NIGHTLY).failed(6)
    assert "There is no pipeline 'demo' on the server" in done.err
    assert "upload-pipeline" in done.err


@pytest.mark.usefixtures("uploaded")
class TestAgain:
    def test_the_same_is_left_alone(self, server: KfpServer, kedro: Kedro) -> None:
        words = (*NIGHTLY, "--params", "limit=9", "--start-time", "2026-03-01", "--run-name", "n {limit}")
        kedro("schedule", *words).ok()
        before = only(server)["recurring_run_id"]
        assert kedro("schedule", *words).ok().out == "demo/default: unchanged (0 0 3 * * * from 2026-03-01 00:00 UTC)\n"
        assert only(server)["recurring_run_id"] == before

    @pytest.mark.parametrize(
        "change",
        [
            ("-c", "0 4 * * *"),
            (*NIGHTLY, "--params", "limit=2"),
            (*NIGHTLY, "--disabled"),
            (*NIGHTLY, "--no-catchup"),
            (*NIGHTLY, "--max-concurrency", "2"),
            (*NIGHTLY, "--experiment-name", "other"),
            (*NIGHTLY, "--run-name", "other"),
            (*NIGHTLY, "--service-account", "other"),
            (*NIGHTLY, "--version", "latest"),
            ("--interval", "60"),
        ],
        ids=" ".join,
    )
    def test_what_has_changed_is_replaced(self, server: KfpServer, kedro: Kedro, change: tuple[str, ...]) -> None:
        kedro("schedule", *NIGHTLY).ok()
        old = only(server)["recurring_run_id"]
        done = kedro("schedule", *change).ok()
        assert done.out.startswith("demo/default: replaced (")
        assert f"deleted: {old}" in done.out
        assert only(server)["recurring_run_id"] != old
        posted = [r for r in server.log if "recurringruns" in r.path and r.method != "GET"]
        assert [r.method for r in posted] == ["POST", "POST", "POST", "DELETE"]

    def test_after_another_upload(self, server: KfpServer, kedro: Kedro) -> None:
        kedro("schedule", *NIGHTLY).ok()
        made = kedro("upload-pipeline", "--force", "--output", "json").ok().json
        assert "replaced" in kedro("schedule", *NIGHTLY).ok().out
        assert only(server)["pipeline_version_reference"]["pipeline_version_id"] == made["version_id"]

    def test_others_are_left_alone(self, server: KfpServer, kedro: Kedro) -> None:
        kedro("schedule", *NIGHTLY).ok()
        by_hand = {k: v for k, v in only(server).items() if k not in ("recurring_run_id", "description", "status")}
        server.recurring_runs.create({**by_hand, "display_name": "by hand"})
        kedro("schedule", *NIGHTLY, "--name", "second").ok()
        kedro("schedule", "-c", "0 4 * * *").ok()
        assert len(server.recurring_runs.recurring) == 3

    def test_a_dry_run_changes_nothing(self, server: KfpServer, kedro: Kedro) -> None:
        out = kedro("schedule", *NIGHTLY, "--experiment-name", "new", "--dry-run").ok().out
        assert out == "demo/default: would be created (0 0 3 * * *)\n"
        kedro("schedule", *NIGHTLY).ok()
        old = only(server)["recurring_run_id"]
        out = kedro("schedule", "-c", "@daily", "--dry-run").ok().out
        assert out == f"demo/default: would be replaced (@daily)\n  would be deleted: {old} (0 0 3 * * *)\n"
        assert "would be deleted" in kedro("schedule", "--delete", "--dry-run").ok().out
        assert only(server)["recurring_run_id"] == old
        assert "new" not in [e["display_name"] for e in server.experiments.experiments.values()]


@pytest.mark.usefixtures("uploaded")
class TestFaults:
    @pytest.mark.parametrize("fault", [Answer(400, b'{"code": 3, "message": "no"}'), Reset()], ids=str)
    def test_the_old_one_stays_if_the_new_one_cannot_be_made(
        self, server: KfpServer, kedro: Kedro, fault: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kedro_kubeflow.targets.kubeflow.recurring_runs.LOOKS", (0.0, 0.1))
        kedro("schedule", *NIGHTLY).ok()
        old = only(server)["recurring_run_id"]
        server.faults.add("POST /apis/v2beta1/recurringruns", fault)  # type: ignore[arg-type]
        kedro("schedule", "-c", "0 4 * * *").failed(6)
        assert only(server)["recurring_run_id"] == old

    def test_an_answer_that_is_lost(self, server: KfpServer, kedro: Kedro) -> None:
        kedro("schedule", *NIGHTLY).ok()
        server.faults.add("POST /apis/v2beta1/recurringruns", Reset(after=True))
        server.faults.add("DELETE", Reset(after=True))
        kedro("schedule", "-c", "0 4 * * *").ok()
        assert only(server)["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * *"

    def test_an_old_one_that_cannot_be_deleted_is_told_and_goes_the_next_time(
        self, server: KfpServer, kedro: Kedro
    ) -> None:
        kedro("schedule", *NIGHTLY).ok()
        old = only(server)["recurring_run_id"]
        server.faults.add("DELETE", Answer(403, b'{"code": 7, "message": "not yours"}'))
        done = kedro("schedule", "-c", "0 4 * * *").failed(6)
        assert f"the old one {old} could not be deleted, and may start runs too" in done.err
        assert len(server.recurring_runs.recurring) == 2
        assert f"deleted: {old}" in kedro("schedule", "-c", "0 4 * * *").ok().out
        assert only(server)["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * *"

    def test_a_server_that_restarts(self, server: KfpServer, kedro: Kedro) -> None:
        server.faults.add("recurringruns", NO_UPSTREAM, times=2)
        kedro("schedule", *NIGHTLY).ok()
        only(server)


@pytest.mark.usefixtures("uploaded")
class TestLook:
    def test_list(self, server: KfpServer, kedro: Kedro) -> None:
        assert "no schedules" in kedro("schedule", "--list").ok().err
        kedro("schedule", *NIGHTLY).ok()
        kedro("schedule", "--interval", "60", "--name", "often", "--disabled").ok()
        lines = kedro("schedule", "--list").ok().out.splitlines()
        assert lines[0].split() == ["NAME", "KEY", "WHEN", "STATE", "CREATED", "ID"]
        assert "every 60 s" in lines[1]
        assert " off " in lines[1]
        listed = kedro("schedule", "--list", "--output", "json").ok().json
        assert [(s["key"], s["cron"], s["enabled"]) for s in listed] == [
            ("demo/often", None, False),
            ("demo/default", "0 0 3 * * *", True),
        ]

    def test_delete(self, server: KfpServer, kedro: Kedro) -> None:
        kedro("schedule", *NIGHTLY).ok()
        kedro("schedule", "--interval", "60", "--name", "often").ok()
        assert "demo/often: deleted" in kedro("schedule", "--delete", "--name", "often").ok().out
        assert only(server)["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * *"}}
        assert len(kedro("schedule", "--delete", "--all", "--output", "json").ok().json) == 1
        assert server.recurring_runs.recurring == {}
        assert "there is no such schedule" in kedro("schedule", "--delete").ok().err


@pytest.mark.usefixtures("uploaded")
class TestRunsInProgress:
    """Kubeflow deletes a schedule's unfinished runs with it, and they stay RUNNING for ever."""

    def test_a_schedule_with_one_is_switched_off_and_goes_later(self, server: KfpServer, kedro: Kedro) -> None:
        kedro("schedule", *NIGHTLY).ok()
        old = only(server)["recurring_run_id"]
        run = server.recurring_runs.fire(old)["run_id"]
        out = kedro("schedule", "-c", "0 4 * * *").ok().out
        assert f"switched off: {old} (0 0 3 * * *); its runs have not ended: {run}" in out
        assert [r["status"] for r in server.recurring_runs.recurring.values()] == ["DISABLED", "ENABLED"]
        assert server.requests("DELETE") == []
        while server.runs.get(run)["state"] not in ("SUCCEEDED", "FAILED"):
            pass
        assert f"deleted: {old}" in kedro("schedule", "-c", "0 4 * * *").ok().out
        assert only(server)["status"] == "ENABLED"

    def test_deleting_says_what_it_leaves_and_what_it_ends(self, server: KfpServer, kedro: Kedro) -> None:
        kedro("schedule", *NIGHTLY).ok()
        old = only(server)["recurring_run_id"]
        run = server.recurring_runs.fire(old)["run_id"]
        done = kedro("schedule", "--delete").ok().out
        assert done.startswith(f"demo/default: switched off ({old}); its runs have not ended: {run}\n")
        [left] = kedro("schedule", "--delete", "--output", "json").ok().json
        assert (left["deleted"], left["runs"]) == (False, [run])
        done = kedro("schedule", "--delete", "--force").ok().out
        assert done == f"demo/default: deleted ({old}); it ended the runs {run}\n"
        assert server.recurring_runs.recurring == {}
        assert "--force is for --delete" in kedro("schedule", *NIGHTLY, "--force").failed(2).err


@pytest.mark.usefixtures("uploaded")
class TestTimeZone:
    def test_one_with_summer_time_is_refused_and_never_sent(self, server: KfpServer, kedro: Kedro) -> None:
        done = kedro("schedule", *NIGHTLY, "--timezone", "Europe/Warsaw").failed(2)
        assert "Kubeflow Pipelines takes none" in done.err
        assert "write the times in UTC" in done.err
        assert server.recurring_runs.recurring == {}

    def test_one_without_is_said_in_utc(self, server: KfpServer, kedro: Kedro) -> None:
        words = ("-c", "0 3 * * MON", "--timezone", "Asia/Tokyo")
        assert "demo/default: created (0 0 18 * * 0)" in kedro("schedule", *words).ok().out
        assert only(server)["trigger"]["cron_schedule"]["cron"] == "0 0 18 * * 0"
        assert "unchanged" in kedro("schedule", *words).ok().out
        done = kedro("schedule", "-c", "0 3 1 * *", "--timezone", "Asia/Tokyo").failed(2)
        assert "the day of the month falls into another month there" in done.err
        assert only(server)["trigger"]["cron_schedule"]["cron"] == "0 0 18 * * 0"

    def test_utc_is_the_server_s_own(self, server: KfpServer, kedro: Kedro) -> None:
        kedro("schedule", *NIGHTLY, "--timezone", "Etc/UTC").ok()
        assert only(server)["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * *"


@pytest.mark.usefixtures("uploaded")
class TestConfigured:
    def test_the_pipeline_s_own(self, server: KfpServer, kedro: Kedro, configure: Callable[..., None]) -> None:
        schedule = {"cron": "0 3 * * *", "params": {"limit": 8}, "run_name": "night {limit}", "catchup": False}
        configure({"schedules": {"__default__": schedule}})
        kedro("schedule").ok()
        made = only(server)
        assert (made["display_name"], made["no_catchup"]) == ("night 8", True)
        kedro("schedule", "--interval", "60", "--params", "limit=2").ok()
        made = only(server)
        assert (made["display_name"], made["no_catchup"]) == ("night 2", True)
        assert made["trigger"] == {"periodic_schedule": {"interval_second": "60"}}

    def test_all(self, server: KfpServer, kedro: Kedro, configure: Callable[..., None]) -> None:
        configure({"schedules": {"__default__": {"cron": "0 3 * * *"}, "main": {"interval": "2h"}}})
        kedro("upload-pipeline", "-p", "main").ok()
        done = kedro("schedule", "--all").ok()
        assert "demo/default: created" in done.out
        assert "demo-main/default: created (every 7200 s)" in done.out
        assert kedro("schedule", "--all").ok().out.count("unchanged") == 2

    def test_a_default_for_pipelines_without_one(
        self, server: KfpServer, kedro: Kedro, configure: Callable[..., None]
    ) -> None:
        configure({"schedules": {"default_schedule": {"cron": "0 3 * * *"}}})
        assert "demo/default: created (0 0 3 * * *)" in kedro("schedule").ok().out
        assert "There are no schedules" in kedro("schedule", "--all").failed(2).err

    def test_all_is_checked_before_any_is_made(
        self, server: KfpServer, kedro: Kedro, configure: Callable[..., None]
    ) -> None:
        configure({"schedules": {"__default__": {"cron": "0 3 * * *"}, "main": {"interval": "2h"}}})
        assert "no pipeline 'demo-main'" in kedro("schedule", "--all").failed(6).err
        assert server.recurring_runs.recurring == {}

    def test_what_was_done_is_told_when_the_next_fails(
        self, server: KfpServer, kedro: Kedro, configure: Callable[..., None]
    ) -> None:
        configure({"schedules": {"__default__": {"cron": "0 3 * * *"}, "main": {"interval": "2h"}}})
        kedro("upload-pipeline", "-p", "main").ok()
        create = server.recurring_runs.create
        server.recurring_runs.create = lambda body: (
            (_ for _ in ()).throw(_no())
            if len(  # type: ignore[method-assign]
                server.recurring_runs.recurring
            )
            else create(body)
        )
        done = kedro("schedule", "--all", "--output", "json").failed(6)
        assert [c["key"] for c in done.json] == ["demo/default"]

    @pytest.mark.parametrize(
        ("schedule", "what"),
        [
            ({"corn": "0 3 * * *"}, "Did you mean 'cron'?"),
            ({"cron": "61 * * * *"}, "minute: 61"),
            ({}, "one of `cron`"),
        ],
    )
    def test_what_is_wrong(self, kedro: Kedro, configure: Callable[..., None], schedule: dict, what: str) -> None:
        configure({"schedules": {"__default__": schedule}})
        assert what in kedro("schedule").failed(2).err


def _no() -> Exception:
    from kfp_server.refusal import invalid

    return invalid("no more")
