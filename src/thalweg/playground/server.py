"""The playground on this machine: one page, held in memory, at an address of 127.0.0.1."""

from __future__ import annotations

import errno
import os
import sys
import threading
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from thalweg.errors import UserError
from thalweg.playground.opening import Opening, Source
from thalweg.playground.page import document, policy

HOST: Final = "127.0.0.1"
PORT: Final = 8765
_TRIES = 100
_OWN_NAMES = {"127.0.0.1", "localhost", "[::1]"}


class Server(ThreadingHTTPServer):
    """Serves one document at ``/`` and nothing else; no path on the disk is ever looked up.

    Args:
        page: the document.
        port: where to listen; 0 takes a free one.
    """

    allow_reuse_port = False  # some versions of Python let two servers share a port

    def __init__(self, page: str, port: int) -> None:
        self.page = page.encode()
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that hung up before it had the page."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def address(self) -> str:
        """What to type into a browser."""
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "thalweg"
    sys_version = ""
    timeout = 10  # seconds for a request to come in

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        if not self._is_meant_for_us():
            self.send_error(HTTPStatus.FORBIDDEN, "this server answers to 127.0.0.1 and localhost alone")
        elif self.path.partition("?")[0] != "/":
            self.send_error(HTTPStatus.NOT_FOUND, "there is one page here, /")
        else:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(self.server.page)))
            self.end_headers()
            if with_body:
                self.wfile.write(self.server.page)

    def _is_meant_for_us(self) -> bool:
        """Whether the address in the browser is this machine's own, and not a foreign name that leads here.

        A page elsewhere can let its name point at 127.0.0.1 and would then share an origin with this one.
        The port may differ, since it does behind a forwarded port.
        """
        name, separator, port = self.headers.get("Host", "").rpartition(":")
        return (name if separator and port.isdigit() else f"{name}{separator}{port}").lower() in _OWN_NAMES

    def end_headers(self) -> None:
        for name, value in (
            ("Content-Security-Policy", f"{policy()}; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ):
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal for what matters."""


def listening(page: str, port: int | None) -> Server:
    """A server that has its port: the one asked for, or else the first free one from the default on.

    Raises:
        UserError: the port asked for is taken or may not be used.
    """
    for candidate in range(PORT, PORT + _TRIES) if port is None else [port]:
        try:
            return Server(page, candidate)
        except OSError as error:
            if port is not None:
                raise UserError(f"port {port}: {error.strerror}; choose another --port") from error
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    return Server(page, 0)


def serve(
    *,
    surface: str | None = None,
    lesson: str | None = None,
    slices: Sequence[Source] = (),
    state: Mapping[str, object] | None = None,
    port: int | None = None,
    open_browser: bool = True,
) -> None:
    """Serve the playground on this machine alone until Ctrl-C, which is a clean end.

    Args:
        surface: the surface to begin with, such as ``"rosenbrock"``.
        lesson: the lesson to begin with, such as ``"momentum"``.
        slices: slices of your models: files of ``thalweg landscape --json``, what is in them, a survey or a
            plane of `thalweg.landscape`.
        state: a whole state, as `Playground.state` gives it.
        port: where to listen; without one, 8765 or the next that is free.
        open_browser: whether to open the page where there is a screen to open it on.

    Raises:
        UserError: a name is unknown, a slice cannot be read, or the port is taken.
    """
    with listening(document(Opening.of(surface, lesson, slices, state)), port) as server:
        if port is None and server.server_port != PORT:
            print(f"Port {PORT} is taken; this is at {server.server_port}.")
        print(f"Playground   {server.address}   Ctrl-C ends it", flush=True)
        try:
            if open_browser and _has_a_screen():
                threading.Thread(target=_open, args=(server.address,), daemon=True).start()
            server.serve_forever()
        except KeyboardInterrupt:
            print()  # below the terminal's ^C


def _open(address: str) -> None:
    """Beside the server: what BROWSER names may run until its window is closed, and needs the page before."""
    with suppress(webbrowser.Error, ValueError):  # BROWSER cannot be read; the address is in the terminal
        webbrowser.open(address)


def _has_a_screen() -> bool:
    """Whether a browser would have a window: on a bare terminal one that runs in it would take it over."""
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return named or sys.platform in ("darwin", "win32")
