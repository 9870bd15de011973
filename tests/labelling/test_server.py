"""Who may call, and what a request may be: over real sockets of this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from coursekit.errors import CourseError
from coursekit.labelling.server import Server
from tests.labelling.folders import moved, sent, session

_OPEN = build_opener(ProxyHandler({})).open


class Caller:
    """A page's requests, with what a page sends; any of it may be changed."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.root = f"http://127.0.0.1:{server.port}"

    def call(
        self, method: str, said: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        given = {"X-Token": self.server.token} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        body = json.dumps(said or {}).encode() if raw is None else raw
        return self.ask(Request(f"{self.root}/api/{method}", body, given))

    def ask(self, request: Request | str) -> tuple[int, Any]:
        try:
            with _OPEN(request, timeout=60) as answer:
                content, kind = answer.read(), answer.headers["Content-Type"]
                self.headers = answer.headers
                return answer.status, json.loads(content) if "json" in kind else content
        except HTTPError as error:
            with error:
                text = error.read()
            return error.code, json.loads(text) if text[:1] == b"{" else text


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    server = Server(session(tmp_path_factory.mktemp("photos")))
    began: Future[Any] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        began.set_result((asyncio.get_running_loop(), stop))
        await server.serve(stop)

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    loop, stop = began.result(60)
    yield Caller(server)
    loop.call_soon_threadsafe(stop.set)
    thread.join(60)
    assert not thread.is_alive()


def test_a_page_and_its_parts(caller: Caller) -> None:
    for path, told in (("/", b"/page.js"), ("/page.js", b"X-Token"), ("/style.css", b".ck-tool"),
                       ("/tool.js", b"export default"), ("/icon.svg", b"<svg")):  # fmt: skip
        status, content = caller.ask(caller.root + path)
        assert status == 200
        assert told in content
        assert "default-src 'none'" in caller.headers["Content-Security-Policy"]
        assert "Server" not in caller.headers
        assert caller.server.token.encode() not in content


def test_the_tool_over_http(caller: Caller) -> None:
    assert caller.call("open")[1]["at"] == "0"
    picture = caller.call("picture", {"name": "0"})[1]
    assert caller.call("image", {"name": "0"})[1][:3] == b"\xff\xd8\xff"
    assert caller.call("draw", {"points": picture["points"]})[1]["paths"] == picture["paths"]
    edit = sent(picture, **moved(picture, 54, 3))
    assert caller.call("keep", edit)[1]["moved"] == 1
    status, told = caller.call("keep", {**edit, "window": "two"})
    assert (status, told["kind"]) == (409, "conflict")
    status, told = caller.call("picture", {"name": "none"})
    assert (status, told["kind"]) == (422, "course")


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_without_the_token_nothing_is_told(token: str, caller: Caller) -> None:
    status, told = caller.call("open", X_Token=token)
    assert status == 403
    assert told == {
        "error": "403: no token, or another start's; open the address that was printed",
        "kind": "refused",
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Host": "127.0.0.1.evil.example:80"},
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
    ],
)  # fmt: skip
def test_other_hosts_and_other_pages(headers: dict[str, str], caller: Caller) -> None:
    assert caller.call("open", **headers)[0] == 403
    assert caller.ask(Request(f"{caller.root}/", headers=headers))[0] == 403


def test_this_machines_names(caller: Caller) -> None:
    port = caller.server.port
    for name in ("localhost", "127.0.0.1"):
        own = {"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}
        assert caller.call("open", **own)[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/../server.py", "/%2e%2e/server.py", "/page/../server.py", "/api/", "/api/x/y",
     "/images/0.png", "/annotation/0.json", "//etc/passwd", "/tool.js/"],
)  # fmt: skip
def test_no_path_is_a_file(path: str, caller: Caller) -> None:
    assert caller.ask(caller.root + path)[0] == 404


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"{", 400), (b"[]", 400), (b"\xff", 400), (b"[" * 50_000, 400), (b'{"points": NaN}', 422)],
)
def test_bodies_that_are_none(raw: bytes, status: int, caller: Caller) -> None:
    assert caller.call("draw", raw=raw)[0] == status


def test_a_body_of_any_size_is_not_read(caller: Caller) -> None:
    try:
        status, _ = caller.call("draw", raw=b" " * (1 << 20))
    except OSError:  # the server hangs up while it is still being sent
        status = 400
    assert status in (400, 413)
    assert caller.call("training")[0] == 200


def test_methods_that_no_page_uses(caller: Caller) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        request = Request(
            f"{caller.root}/api/open", method=method, headers={"X-Token": caller.server.token}
        )
        assert caller.ask(request)[0] == 405
    assert "Access-Control-Allow-Origin" not in caller.headers


def test_this_machine_alone_and_the_next_free_port(tmp_path: Path) -> None:
    tool = session(tmp_path)
    first = Server(tool)
    second = Server(tool, first.port)
    assert first.port < second.port
    for server in (first, second):
        assert server.socket.getsockname()[0] == "127.0.0.1"
        server.socket.close()
    with pytest.raises(CourseError, match="--port 70000"):
        Server(tool, 70_000)
