"""Uploads: one pipeline, one version a spec, whatever happens on the way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from kfp_server import NO_UPSTREAM, Answer, KfpServer, Options, Reset, Slow, gateway
from kfp_server.specs import Package, package

from kedro_kubeflow.errors import AuthError, ServerError
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.pipelines import PipelineVersion
from targets.kubeflow.conftest import Connect

UPLOAD = r"POST /apis/v2beta1/pipelines/upload$"
UPLOAD_VERSION = "POST /apis/v2beta1/pipelines/upload_version"


def versions(server: KfpServer) -> list[str]:
    return [v["name"] for v in server.pipelines.versions.values()]


def only(server: KfpServer) -> tuple[dict, dict]:
    """The one pipeline and its one version: anything else is a broken upload."""
    [pipeline], [version] = server.pipelines.pipelines.values(), server.pipelines.versions.values()
    assert version["pipeline_id"] == pipeline["pipeline_id"]
    return pipeline, version


class TestNew:
    def test_a_pipeline_with_all_that_is_known_of_it(self, server: KfpServer, client: KubeflowClient) -> None:
        done = client.uploads.upload(package(tags={"project": "demo", "env": "prod", "git_commit": "0123456789abcdef"}))
        pipeline, version = only(server)
        assert done.made == "pipeline"
        assert (done.pipeline.id, done.version.id) == (pipeline["pipeline_id"], version["pipeline_version_id"])
        assert (pipeline["name"], pipeline["display_name"]) == ("space-flights", "Space Flights")
        digest = package().digest
        tags = {"project": "demo", "env": "prod", "git_commit": "0123456789abcdef", "spec_digest": digest[:32]}
        assert pipeline["tags"] == version["tags"] == tags
        assert version["display_name"] == f"01234567 ({digest[:12]})"
        assert version["description"].startswith("Prices of flights\n\nproject: demo\n")
        assert done.version.digest == digest[:32]

    def test_awkward_tags_and_descriptions(self, server: KfpServer, client: KubeflowClient) -> None:
        tags = {f"key.{n}": "v" * 100 for n in range(30)}
        client.uploads.upload(package(description="ü" * 5000, tags=tags))
        pipeline, _ = only(server)
        assert len(pipeline["tags"]) == 20
        assert pipeline["tags"]["key_0"] == "v" * 63

    def test_another_spec_is_another_version(self, server: KfpServer, client: KubeflowClient) -> None:
        first = client.uploads.upload(package())
        second = client.uploads.upload(package(image="python:3.12"))
        assert second.made == "version"
        assert second.pipeline.id == first.pipeline.id
        assert server.pipelines.newest(first.pipeline.id)["pipeline_version_id"] == second.version.id
        assert [v.id for v in client.pipelines.newest(first.pipeline.id)] == [second.version.id]

    def test_the_spec_arrives_as_it_is(self, server: KfpServer, client: KubeflowClient) -> None:
        done = client.uploads.upload(package())
        spec = client.pipelines.version(done.pipeline.id, done.version.id).spec
        assert spec["pipelineInfo"] == {"name": "space-flights"}
        assert set(spec["root"]["dag"]["tasks"]) == {"split", "train", "report"}

    def test_names_for_kubernetes(self, kubernetes_server: KfpServer, client_of: Connect) -> None:
        client = client_of(kubernetes_server)
        client.uploads.upload(package())
        client.uploads.upload(package(image="python:3.12"))
        client.uploads.upload(package())
        assert len(versions(kubernetes_server)) == 3

    def test_namespaces_are_kept_apart(self, multi_user_server: KfpServer, client_of: Connect) -> None:
        ids = {
            client_of(multi_user_server, namespace=n).uploads.upload(package()).pipeline.id
            for n in ("team-a", "team-b")
        }
        assert len(ids) == 2
        with pytest.raises(AuthError, match="namespace 'others'"):
            client_of(multi_user_server, namespace="others").uploads.upload(package())


class TestAgain:
    def test_the_same_spec_makes_nothing(self, server: KfpServer, client: KubeflowClient) -> None:
        first = client.uploads.upload(package())
        again = client.uploads.upload(package())
        assert again.made == "nothing"
        assert again.version.id == first.version.id
        only(server)

    def test_unless_it_must(self, server: KfpServer, client: KubeflowClient) -> None:
        client.uploads.upload(package())
        forced = [client.uploads.upload(package(), force=True) for _ in range(3)]
        assert {u.made for u in forced} == {"version"}
        digest = package().digest[:12]
        assert versions(server) == ["space-flights", digest, f"{digest}-2", f"{digest}-3"]

    def test_there_and_back_again(self, server: KfpServer, client: KubeflowClient) -> None:
        """The newest version counts: who goes back to an older spec wants it to be the newest."""
        a, b = package(), package(image="python:3.12")
        made = [client.uploads.upload(p).made for p in (a, b, a, a, b)]
        assert made == ["pipeline", "version", "version", "nothing", "version"]
        newest = server.pipelines.newest(client.pipelines.get("space-flights").id)
        assert newest["name"] == f"{b.digest[:12]}-2"

    def test_a_pipeline_that_somebody_made_by_hand(self, server: KfpServer, client: KubeflowClient) -> None:
        by_hand = server.pipelines.create({"name": "space-flights", "display_name": "by hand"})
        done = client.uploads.upload(package())
        assert (done.made, done.pipeline.id) == ("version", by_hand["pipeline_id"])
        assert client.uploads.upload(package()).made == "nothing"

    def test_a_server_without_tags(self, client_of: Connect) -> None:
        with KfpServer(Options(tags=False)) as server:
            client = client_of(server)
            made = [client.uploads.upload(package()).made for _ in range(2)]
        assert made == ["pipeline", "nothing"]
        assert only(server)[0]["display_name"] == "space-flights"
        assert server.violations == []


class TestFaults:
    @pytest.mark.parametrize(
        "fault",
        [
            Reset(),
            Reset(after=True),
            Reset(read=2000),
            Slow(0.5),
            Answer(500, after=True),
            gateway(502, "x"),
            NO_UPSTREAM,
        ],
        ids=str,
    )
    @pytest.mark.parametrize("times", [1, 2])
    def test_a_new_pipeline_is_made_once(
        self, server: KfpServer, client: KubeflowClient, fault: object, times: int
    ) -> None:
        server.faults.add(UPLOAD, fault, times)  # type: ignore[arg-type]
        done = client.uploads.upload(package())
        pipeline, version = only(server)
        assert done.made == "pipeline"
        assert done.version.id == version["pipeline_version_id"]
        assert version["tags"] == pipeline["tags"]

    @pytest.mark.parametrize(
        "fault",
        [
            Reset(),
            Reset(after=True),
            Reset(read=2000),
            Slow(0.5),
            Answer(500, after=True),
            gateway(502, "x"),
            NO_UPSTREAM,
        ],
        ids=str,
    )
    @pytest.mark.parametrize("force", [False, True])
    def test_a_new_version_is_made_once(
        self, server: KfpServer, client: KubeflowClient, fault: object, force: bool
    ) -> None:
        client.uploads.upload(package())
        server.faults.add(UPLOAD_VERSION, fault, 2)  # type: ignore[arg-type]
        other = package() if force else package(image="python:3.12")
        done = client.uploads.upload(other, force=force)
        assert done.made == "version"
        assert versions(server) == ["space-flights", other.digest[:12]]
        assert server.pipelines.newest(done.pipeline.id)["pipeline_version_id"] == done.version.id

    def test_a_slow_server_that_makes_it_later(self, server: KfpServer, client: KubeflowClient) -> None:
        """The first request is carried out only when the second one is there: its name is taken then."""
        server.faults.add(UPLOAD, Slow(0.5, after=False))
        done = client.uploads.upload(package())
        threading.Event().wait(0.3)
        assert done.made == "pipeline"
        only(server)

    def test_a_server_that_stays_ill(self, server: KfpServer, client: KubeflowClient) -> None:
        server.faults.add(UPLOAD, Answer(500, b'{"error_message": "disk full"}'), 99)
        with pytest.raises(ServerError, match="disk full"):
            client.uploads.upload(package())
        assert server.pipelines.pipelines == {}

    def test_tags_of_the_first_version_are_no_matter_of_life_and_death(
        self, server: KfpServer, client: KubeflowClient
    ) -> None:
        server.faults.add("PATCH", Answer(500), 9)
        assert client.uploads.upload(package()).made == "pipeline"
        assert client.uploads.upload(package()).made == "nothing"

    def test_a_pipeline_that_was_left_without_a_version(self, server: KfpServer, client: KubeflowClient) -> None:
        """As the Kubernetes store does when the second of its two steps fails."""
        server.pipelines.create({"name": "space-flights"})
        assert client.uploads.upload(package()).made == "version"
        only(server)

    @pytest.mark.parametrize(
        ("options", "wrong", "what", "cure"),
        [
            (Options(max_upload=500), package(), "too large", "several nodes"),
            (Options(), Package(name="x", text="nonsense: true"), "pipeline spec is invalid", ""),
            (Options(store="kubernetes"), package(), "", ""),
        ],
        ids=["size", "spec", "fine"],
    )
    def test_what_the_server_refuses(
        self, client_of: Connect, options: Options, wrong: Package, what: str, cure: str
    ) -> None:
        with KfpServer(options) as server:
            client = client_of(server)
            if not what:
                assert client.uploads.upload(wrong).made == "pipeline"
                return
            with pytest.raises(ServerError, match=what) as caught:
                client.uploads.upload(wrong)
        assert cure in str(caught.value)
        assert server.violations == []
        assert len(server.requests("POST")) == 1


class TestTogether:
    """Two uploads, and more, at once."""

    @pytest.mark.parametrize("frozen", [False, True], ids=["a second apart", "within a second"])
    def test_the_same_spec(self, server: KfpServer, client_of: Connect, frozen: bool) -> None:
        server.world.clock.frozen = frozen
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda _: client_of(server).uploads.upload(package()), range(6)))
        _, version = only(server)
        assert {u.version.id for u in done} == {version["pipeline_version_id"]}
        assert sorted(u.made for u in done) == ["nothing"] * 5 + ["pipeline"]

    def test_a_new_version_of_the_same_spec(self, server: KfpServer, client_of: Connect) -> None:
        client_of(server).uploads.upload(package())
        other = package(image="python:3.12")
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda _: client_of(server).uploads.upload(other), range(6)))
        assert sorted(u.made for u in done) == ["nothing"] * 5 + ["version"]
        assert versions(server) == ["space-flights", other.digest[:12]]

    def test_different_specs(self, server: KfpServer, client_of: Connect) -> None:
        packages = [package(image=f"python:3.{n}") for n in range(6)]
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda p: client_of(server).uploads.upload(p), packages))
        assert len({u.pipeline.id for u in done}) == 1
        assert len({u.version.id for u in done}) == len(server.pipelines.versions) == 6
        digests: list[str | None] = [_digest(v) for v in client_of(server).pipelines.versions(done[0].pipeline.id)]
        assert sorted(filter(None, digests)) == sorted(p.digest[:32] for p in packages)


def _digest(version: PipelineVersion) -> str | None:
    return version.digest
