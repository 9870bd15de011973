"""The page in a browser, served to this machine alone.

Whoever calls must know the token, which is drawn anew at each start and travels in the part of the
address that browsers send to nobody. Another site's page knows none; it could not send it either,
since a header of one's own needs a permission that is never given. A request must name this
machine as its host, which a name that was pointed at it by somebody else does not.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import tornado.httpserver
import tornado.web

from coursekit.errors import CourseError
from coursekit.labelling.page import bundle
from coursekit.labelling.records import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from coursekit.labelling.sessions import Session

_HOST = "127.0.0.1"
_NAMES = (_HOST, "localhost", "[::1]")
#: Bytes of a request: 106 points twice, and what belongs to them, are a tenth of it.
_LARGEST = 1 << 17
# Ports that are tried, when the first is taken.
_TRIED = 20
# Photographs are decoded and networks asked beside the hand's own requests.
_THREADS = 4
_PAGE = Path(__file__).with_name("page")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Handler(tornado.web.RequestHandler):
    """What both kinds have: headers, and who may come in."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        allowed = {f"{name}:{self.settings['port']}" for name in _NAMES}
        origin = self.request.headers.get("Origin")
        if self.request.host not in allowed:
            raise tornado.web.HTTPError(403, reason="not this machine's name")
        if origin is not None and urlsplit(origin).netloc not in allowed:
            raise tornado.web.HTTPError(403, reason="another site's page")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        told = {"error": f"{status_code}: {self._reason}", "kind": "refused"}
        self.finish(json.dumps(told))


class _Page(_Handler):
    """The page's own files, which hold nothing of anybody's."""

    def initialize(self, kind: str, content: Callable[[], str]) -> None:
        self.kind, self.content = kind, content

    def get(self) -> None:
        self.set_header("Content-Type", f"{self.kind}; charset=utf-8")
        self.finish(self.content())


class _Api(_Handler):
    """`POST /api/METHOD`, with JSON; what it gives is JSON, or a picture."""

    def initialize(self, session: Session, token: str, pool: ThreadPoolExecutor) -> None:
        self.session, self.token, self.pool = session, token, pool

    def prepare(self) -> None:
        super().prepare()
        given = self.request.headers.get("X-Token", "")
        if not compare_digest(given.encode(), self.token.encode()):
            raise tornado.web.HTTPError(
                403, reason="no token, or another start's; open the address that was printed"
            )

    async def post(self, method: str) -> None:
        try:
            said = json.loads(self.request.body or b"{}")
            if not isinstance(said, dict):
                raise TypeError
        except (ValueError, TypeError, RecursionError) as error:
            raise tornado.web.HTTPError(400, reason="no JSON object") from error
        try:
            if method == "draw":  # a hand is waiting
                found = self.session.call(method, said)
            else:
                loop = asyncio.get_running_loop()
                found = await loop.run_in_executor(self.pool, self.session.call, method, said)
        except (CourseError, OSError) as error:
            kind = "conflict" if isinstance(error, Conflict) else "course"
            self.set_status(409 if kind == "conflict" else 422)
            self.finish(json.dumps({"error": str(error), "kind": kind}))
            return
        if isinstance(found, bytes):
            self.set_header("Content-Type", "image/jpeg")
            self.finish(found)
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps(found))


class Server:
    """A session's page.

    Args:
        session: what it shows.
        port: of the page; the next free one if it is taken, any for 0.

    Attributes:
        address: to open, the token in it.

    Raises:
        CourseError: when no port is free.
    """

    def __init__(self, session: Session, port: int = 0) -> None:
        self.session, self.token = session, secrets.token_urlsafe(24)
        self.socket, self.port = _bound(port)
        self._pool = ThreadPoolExecutor(_THREADS, "labelling")
        self.address = f"http://{_HOST}:{self.port}/#{self.token}"

    def application(self) -> tornado.web.Application:
        """The page's files and the API."""
        files = {
            "/": ("text/html", (_PAGE / "index.html").read_text),
            "/page.js": ("text/javascript", (_PAGE / "page.js").read_text),
            "/style.css": ("text/css", (_PAGE / "style.css").read_text),
            "/icon.svg": ("image/svg+xml", (_PAGE / "icon.svg").read_text),
            "/tool.js": ("text/javascript", bundle),
        }
        pages = [
            (path, _Page, {"kind": kind, "content": content})
            for path, (kind, content) in files.items()
        ]
        api = {"session": self.session, "token": self.token, "pool": self._pool}
        handlers: list[Any] = [*pages, (r"/api/([a-z]{1,20})", _Api, api)]
        return tornado.web.Application(
            handlers, port=self.port, default_handler_class=_Missing, log_function=lambda _: None
        )

    async def serve(self, until: asyncio.Event) -> None:
        """Answer until the event is set."""
        server = tornado.httpserver.HTTPServer(
            self.application(), max_body_size=_LARGEST, max_buffer_size=8 * _LARGEST,
            idle_connection_timeout=300, body_timeout=30,
        )  # fmt: skip
        server.add_socket(self.socket)
        try:
            await until.wait()
        finally:
            server.stop()
            await server.close_all_connections()
            self._pool.shutdown(wait=True)
            await asyncio.to_thread(self.session.close)


class _Missing(_Handler):
    def prepare(self) -> None:
        super().prepare()
        raise tornado.web.HTTPError(404, reason="there is no such page")


def _bound(port: int) -> tuple[socket.socket, int]:
    """A socket of this machine alone, at this port or one of the next."""
    if not 0 <= port < 1 << 16:
        raise CourseError(f"--port {port}: a port is a number from 0 (any) to 65535")
    for tried in range(port, min(port + (_TRIED if port else 1), 1 << 16)):
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name != "nt":  # where it would share a port that is in use
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.setblocking(False)
            held.bind((_HOST, tried))
            held.listen()
        except OSError:
            held.close()
            continue
        return held, held.getsockname()[1]
    raise CourseError(f"port {port} and those after it are taken, or not allowed; name another")
