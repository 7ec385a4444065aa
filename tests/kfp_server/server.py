"""The HTTP server: routes, checks against the contract, gates and faults."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from kfp_server.contract import Operation, find_operation
from kfp_server.experiments import Experiments
from kfp_server.faults import LOGIN_PAGE, Answer, Fault, Faults, Reset, Slow
from kfp_server.objects import Objects
from kfp_server.pipelines import Pipelines
from kfp_server.progress import Script
from kfp_server.recurring_runs import RecurringRuns
from kfp_server.refusal import Refusal
from kfp_server.runs import Runs
from kfp_server.world import Options, World

VERSION, COMMIT = "2.17.0", "4a3592cb2dd0a91a4652ab93893ec8beda1f3158"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Gate:
    """Who may come in: everybody, or those with one of the tokens."""

    tokens: set[str] | None = None
    refuses: Literal["401", "403", "login page", "redirect"] = "401"

    def opens(self, headers: dict[str, str]) -> bool:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        return self.tokens is None or given in self.tokens

    def refusal(self) -> Answer:
        if self.refuses == "login page":
            return Answer(200, LOGIN_PAGE, "text/html; charset=utf-8")
        if self.refuses == "redirect":
            return Answer(302, b"", "text/html", location="/dex/auth?client_id=kubeflow-oidc-authservice")
        code = "UNAUTHENTICATED" if self.refuses == "401" else "PERMISSION_DENIED"
        body = json.dumps(Refusal(code, "Request not authenticated").body()).encode()
        return Answer(int(self.refuses), body)


@dataclass
class KfpServer:
    """A KFP API server on 127.0.0.1.

    Attributes:
        prefix: a path before ``/apis``, as behind a gateway.
        violations: what in requests and answers broke the contract.
        log: every request that was read to its end.
    """

    options: Options = field(default_factory=Options)
    prefix: str = ""
    tls: ssl.SSLContext | None = None
    gate: Gate = field(default_factory=Gate)
    faults: Faults = field(default_factory=Faults)
    violations: list[str] = field(default_factory=list)
    log: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(self.options)
        self.pipelines = Pipelines(self.world)
        self.experiments = Experiments(self.world)
        self.runs = Runs(self.world, self.pipelines, self.experiments)
        self.recurring_runs = RecurringRuns(self.world, self.runs, self.experiments)
        self.objects = Objects()
        self.lock = threading.RLock()
        self.port = 0
        self._http: ThreadingHTTPServer | None = None
        self._open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """What a user would write as ``host``."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{self.prefix}"

    def script(self, *scripts: Script) -> None:
        """What becomes of the next runs."""
        self.runs.scripts.extend(scripts)

    def requests(self, pattern: str) -> list[Request]:
        """Requests whose ``METHOD /path`` starts so, the prefix of the path left out."""
        return [r for r in self.log if str(r).startswith(pattern)]

    def start(self) -> KfpServer:
        """Listen; on the same port as before after a stop."""
        server = self

        class Handler(_Handler):
            kfp = server

        class Http(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is no news."""

        self._http = Http(("127.0.0.1", self.port), Handler)
        if self.tls:
            self._http.socket = self.tls.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Go away, with all open connections; the state stays."""
        if self._http:
            self._http.shutdown()
            self._http.server_close()
            self._http = None
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """The server is restarted: nobody listens for a while."""
        self.stop()
        yield
        self.start()

    def __enter__(self) -> KfpServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def carry_out(self, request: Request) -> Answer:
        """Answer a request as KFP does, and hold both against the contract."""
        path = request.path
        if self.options.face == "ui" and path.startswith("/artifacts/"):
            return self.objects.answer(path, dict(request.query), request.headers, multi_user=self.options.multi_user)
        plain = self._beyond_the_contract(path, dict(request.query))
        if plain:
            return plain
        operation = find_operation(request.method, path)
        if operation is None:
            self.violations.append(f"the contract has no {request}")
            return _json(404, {"code": 5, "message": "Not Found", "details": []})
        files = _files(request)
        body = json.loads(request.body) if request.body and not files else None
        problems = list(operation.problems_of_request(request.query, body, files))
        if problems:
            self.violations += problems
            return _json(400, {"code": 3, "message": "; ".join(problems), "details": []})
        try:
            with self.lock:
                status, answer = 200, _proto(self._do(operation, dict(request.query), body, files))
        except Refusal as refusal:
            if operation.id.startswith("Upload"):
                return _json(refusal.status, refusal.upload_body())
            status, answer = refusal.status, refusal.body()
        self.violations += operation.problems_of_answer(status, answer)
        return _json(status, answer)

    def _do(self, operation: Operation, query: dict[str, str], body: Any, files: dict[str, tuple[str, bytes]]) -> Any:
        at = operation.path
        pipeline, version = at.get("pipeline_id", ""), at.get("pipeline_version_id", "")
        run, recurring, experiment = at.get("run_id", ""), at.get("recurring_run_id", ""), at.get("experiment_id", "")
        table: dict[str, Any] = {
            "PipelineService_ListPipelines": lambda: self.pipelines.list(query),
            "PipelineService_CreatePipeline": lambda: self.pipelines.create(body),
            "PipelineService_GetPipeline": lambda: self.pipelines.get(pipeline),
            "PipelineService_DeletePipeline": lambda: self.pipelines.delete(pipeline, query),
            "PipelineService_GetPipelineByName": lambda: self.pipelines.by_name(at["name"], query),
            "PipelineService_ListPipelineVersions": lambda: self.pipelines.list_versions(pipeline, query),
            "PipelineService_GetPipelineVersion": lambda: self.pipelines.get_version(pipeline, version),
            "PipelineService_DeletePipelineVersion": lambda: self.pipelines.delete_version(pipeline, version),
            "PipelineService_UpdatePipelineVersion": lambda: self.pipelines.update_version(*at.values(), body),
            "UploadPipeline": lambda: self.pipelines.upload(query, *files["uploadfile"]),
            "UploadPipelineVersion": lambda: self.pipelines.upload_version(query, *files["uploadfile"]),
            "ExperimentService_ListExperiments": lambda: self.experiments.list(query),
            "ExperimentService_CreateExperiment": lambda: self.experiments.create(body),
            "ExperimentService_GetExperiment": lambda: self.experiments.get(experiment),
            "ExperimentService_ArchiveExperiment": lambda: self.experiments.archive(experiment),
            "ExperimentService_UnarchiveExperiment": lambda: self.experiments.unarchive(experiment),
            "RunService_ListRuns": lambda: self.runs.list(query),
            "RunService_CreateRun": lambda: self.runs.create(body),
            "RunService_GetRun": lambda: self.runs.get(run),
            "RunService_DeleteRun": lambda: self.runs.delete(run),
            "RunService_TerminateRun": lambda: self.runs.terminate(run),
            "RunService_RetryRun": lambda: self.runs.retry(run),
            "RunService_ArchiveRun": lambda: self.runs.store(run, "ARCHIVED"),
            "RunService_UnarchiveRun": lambda: self.runs.store(run, "AVAILABLE"),
            "RecurringRunService_ListRecurringRuns": lambda: self.recurring_runs.list(query),
            "RecurringRunService_CreateRecurringRun": lambda: self.recurring_runs.create(body),
            "RecurringRunService_GetRecurringRun": lambda: self.recurring_runs.get(recurring),
            "RecurringRunService_DeleteRecurringRun": lambda: self.recurring_runs.delete(recurring),
            "RecurringRunService_EnableRecurringRun": lambda: self.recurring_runs.switch(recurring, "ENABLED"),
            "RecurringRunService_DisableRecurringRun": lambda: self.recurring_runs.switch(recurring, "DISABLED"),
        }
        return table[operation.id]()

    def _health(self) -> dict[str, Any]:
        return {
            "commit_sha": COMMIT,
            "tag_name": VERSION,
            "multi_user": self.options.multi_user,
            "pipeline_store": self.options.store,
        }

    def _beyond_the_contract(self, path: str, query: dict[str, str]) -> Answer | None:
        """The API server's way to a pod's log, and the paths of the UI's own server in front of it."""
        words = path.strip("/").split("/")
        of_api = path.startswith("/apis/v1alpha1/runs/") and words[-1] == "log"
        if path == "/apis/v2beta1/healthz":
            # Both say more than the contract, and not the same.
            return _json(200, self._health() if self.options.face == "api" else self._ui_health())
        if path == "/":
            # What a browser is shown, who looks at the host alone.
            return Answer(
                404 if self.options.face == "api" else 200, b"<!DOCTYPE html><title>Kubeflow Pipelines</title>", HTML
            )
        if self.options.face == "api":
            return self._api_log(words[3], words[5]) if of_api else None
        if of_api:
            return Answer(404, f"<!DOCTYPE html>\n<pre>Cannot GET {path}</pre>\n".encode(), HTML)
        if path == "/k8s/pod/logs":
            return self._ui_log(query)
        if path == "/k8s/pod":
            return self._ui_pod(query)
        if path == "/k8s/pod/events":
            return replace(_json(200, {"items": []}), content_type=HTML)
        if path.startswith("/ml_metadata."):
            return Answer(504, b"Error occurred while trying to proxy", "text/plain")
        return None

    def _ui_health(self) -> dict[str, Any]:
        return {
            "frontendCommitHash": COMMIT,
            "frontendTagName": VERSION,
            "apiServerReady": True,
            "apiServerCommitHash": COMMIT,
            "apiServerTagName": VERSION,
            "apiServerMultiUser": self.options.multi_user,
            "multi_user": self.options.multi_user,
            "pipelineStore": self.options.store,
        }

    def _api_log(self, run_id: str, pod: str) -> Answer:
        """Anybody may read it, and what cannot be read is told with a 200."""
        text = self._log(run_id, pod)
        if text is not None:
            return Answer(200, text.encode(), "text/plain; charset=utf-8")
        if run_id not in self.runs.runs:
            said = f"due to run fetching error: Failed to fetch run {run_id}: ResourceNotFoundError: Run {run_id} not found"
            said = f"BadRequestError: Failed to read logs for run {run_id} {said}"
        else:
            said = f"Failed to read logs from archive {pod} due to error fetching the log file: InternalServerError: Failed to"
            said += f" get file reader for /artifacts/{pod}/main.log: blob (code=NotFound): NoSuchKey"
            said = f"BadRequestError: Failed to read logs for run {run_id}: InternalServerError: {said}"
        body = json.dumps({"error_message": said, "error_details": said}, separators=(",", ":"))
        return Answer(200, body.encode(), "text/plain; charset=utf-8")

    def _ui_log(self, query: dict[str, str]) -> Answer:
        if self.options.multi_user and not query.get("podnamespace"):
            return Answer(422, b"podnamespace argument is required", HTML)
        text = self._log(query.get("runid", ""), query.get("podname", ""))
        if text is None:
            return Answer(500, b"Could not get main container logs: S3Error: The specified key does not exist.", HTML)
        return Answer(200, text.encode(), "")

    def _ui_pod(self, query: dict[str, str]) -> Answer:
        with self.lock:
            pod = self.runs.described(query.get("podname", ""))
        if pod is None:
            name, namespace = query.get("podname"), query.get("podnamespace")
            return Answer(500, f"Could not get pod {name} in namespace {namespace}: HTTP request failed".encode(), HTML)
        # What is JSON is called a web page there.
        return replace(_json(200, pod), content_type=HTML)

    def _log(self, run_id: str, pod: str) -> str | None:
        with self.lock:
            known = self.options.serves_logs and run_id in self.runs.runs
            return self.runs.log(run_id, pod) if known else None


class _Handler(BaseHTTPRequestHandler):
    kfp: KfpServer
    protocol_version = "HTTP/1.1"
    # An answer in one piece: with small writes Nagle's algorithm and delayed acknowledgements cost 40 ms each.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.kfp._open.add(self.connection)

    def finish(self) -> None:
        self.kfp._open.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: the requests are in ``KfpServer.log``."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        line = f"{self.command} {parts.path.removeprefix(self.kfp.prefix)}"
        fault = self.kfp.faults.take(line)
        length = int(self.headers.get("content-length", 0))
        if isinstance(fault, Reset) and fault.read is not None:
            self.rfile.read(min(fault.read, length))
            return self._reset()
        request = Request(
            self.command,
            unquote(parts.path.removeprefix(self.kfp.prefix)),
            tuple(parse_qsl(parts.query, keep_blank_values=True)),
            {k.lower(): v for k, v in self.headers.items()},
            self.rfile.read(length),
        )
        self.kfp.log.append(request)
        if self.kfp.prefix and not parts.path.startswith(self.kfp.prefix + "/"):
            return self._answer(Answer(404, b"404 page not found", "text/plain"))
        if not self.kfp.gate.opens(request.headers):
            return self._answer(self.kfp.gate.refusal())
        return self._under(fault, request)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815 - names of http.server

    def _under(self, fault: Fault | None, request: Request) -> None:
        if isinstance(fault, Slow) and not fault.after:
            time.sleep(fault.seconds)
        carried_out = fault is None or isinstance(fault, Slow) or fault.after
        answer = self.kfp.carry_out(request) if carried_out else Answer(500)
        if isinstance(fault, Slow) and fault.after:
            time.sleep(fault.seconds)
        if isinstance(fault, Reset):
            return self._reset()
        return self._answer(fault if isinstance(fault, Answer) else answer)

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.location:
            self.send_header("Location", answer.location)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body[: answer.cut])
        if answer.cut is not None:
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _reset(self) -> None:
        """Close with RST rather than FIN, as a process does that dies."""
        self.close_connection = True
        raw = self.connection
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode())


def _proto(message: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty, as the server's marshaller does."""
    kept = ("multi_user",)
    return {k: _deep(v) for k, v in message.items() if k in kept or v not in ("", [], {}, 0, False, None)}


def _deep(value: Any) -> Any:
    if isinstance(value, list):
        return [_proto(v) if isinstance(v, dict) else v for v in value]
    return value


def _files(request: Request) -> dict[str, tuple[str, bytes]]:
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        return {}
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + request.body)
    files = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        files[str(name)] = (part.get_filename() or "", part.get_payload(decode=True) or b"")  # type: ignore[union-attr]
    return files  # type: ignore[return-value]
