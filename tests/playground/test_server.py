"""The server: one page for this machine alone, whatever is asked of it, and a clean end."""

import _thread
import http.client
import queue
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest

from thalweg import cli
from thalweg.errors import UserError
from thalweg.playground import server as module
from thalweg.playground.opening import Opening
from thalweg.playground.page import document, policy
from thalweg.playground.server import PORT, Server, listening

PAGE = document(Opening.of())
PATIENCE = 60  # seconds: on a busy machine what is sure to come may take its time


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(PAGE, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: Server, path: str = "/", method: str = "GET", host: str = "localhost"
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=PATIENCE)
    connection.request(method, path, headers={"Host": host})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_the_page_is_at_the_root_with_strict_headers(server: Server) -> None:
    response, body = ask(server)
    assert response.status == 200
    assert body.decode() == PAGE
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Content-Security-Policy"] == f"{policy()}; frame-ancestors 'none'"
    assert "Python" not in response.headers["Server"]


def test_head_gives_the_headers_alone(server: Server) -> None:
    response, body = ask(server, method="HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) == len(PAGE.encode())


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "//etc/passwd", "/../pyproject.toml", "/%2e%2e/x", "/static/playground.js", "*", "/page"],
)
def test_nothing_else_is_there(server: Server, path: str) -> None:
    response, body = ask(server, path)
    assert response.status == 404
    assert b"one page here" in body
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_query_is_ignored(server: Server) -> None:
    assert ask(server, "/?from=mail")[1].decode() == PAGE


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_it_can_only_be_read(server: Server, method: str) -> None:
    response, _ = ask(server, method=method)
    assert response.status == 501
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]:8765", "[::1]"]
)
def test_its_own_names_at_any_port(server: Server, host: str) -> None:
    assert ask(server, host=host)[0].status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost:",
    ],
)
def test_a_foreign_name_that_leads_here_gets_nothing(server: Server, host: str) -> None:
    response, body = ask(server, host=host)
    assert response.status == 403
    assert b"thalweg playground" not in body


def test_no_other_machine_can_ask(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_request_that_is_none_does_no_harm(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=PATIENCE) as wire:
        wire.sendall(b"\x16\x03\x01 what is this\r\n\r\n")
        assert b"thalweg playground" not in wire.recv(4096)
    assert ask(server)[0].status == 200


def test_who_hangs_up_early_is_no_news(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=PATIENCE) as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, not closed
    # Connections are taken in turn, so after this answer all earlier ones have a thread.
    assert ask(server)[0].status == 200
    deadline = time.monotonic() + PATIENCE
    while any("process_request" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert capfd.readouterr().err == ""


def test_the_next_free_port_but_never_another_than_asked_for() -> None:
    with listening("a page", None) as first, listening("a page", None) as second:
        assert first.server_port != second.server_port
        assert min(first.server_port, second.server_port) >= PORT
        with pytest.raises(UserError, match=rf"port {first.server_port}: .*in use; choose another --port"):
            listening("a page", first.server_port)


def test_where_all_usual_ports_are_taken_any_free_one_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening("a page", None) as first:
        monkeypatch.setattr(module, "PORT", first.server_port)
        monkeypatch.setattr(module, "_TRIES", 1)
        with listening("a page", None) as second:
            assert second.server_port != first.server_port


@pytest.fixture
def command() -> Iterator[subprocess.Popen[str]]:
    """The command as a person runs it, which ends with the test whatever the test finds."""
    program = [
        sys.executable,
        "-c",
        "from thalweg.cli import main; main()",
        "play",
        "--no-open",
        "--port",
        "0",
    ]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_ctrl_c_ends_it_cleanly(command: subprocess.Popen[str]) -> None:
    port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", command.stdout.readline())[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.read().decode()) == (200, PAGE)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as slow:
        slow.sendall(b"GET / HT")  # a request that never ends
        command.send_signal(signal.SIGINT)
        rest, errors = command.communicate(timeout=PATIENCE)
    assert (command.returncode, rest.strip(), errors) == (0, "", "")


def interrupted(self: Server) -> None:
    """Ctrl-C at once."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(("screen", "opened"), [({"DISPLAY": ":0"}, 1), ({"BROWSER": "true"}, 1), ({}, 0)])
def test_a_browser_opens_where_there_is_a_screen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], screen: dict[str, str], opened: int
) -> None:
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    monkeypatch.setattr(Server, "serve_forever", interrupted)
    monkeypatch.setattr("webbrowser.open", asked.put)
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in screen.items():
        monkeypatch.setenv(name, value)
    assert cli.run(["play", "--port", "0"]) == 0
    address = re.search(r"http://127\.0\.0\.1:\d+/", capsys.readouterr().out)[0]
    assert [asked.get(timeout=PATIENCE) for _ in range(opened)] == [address] * opened
    assert cli.run(["play", "--port", "0", "--no-open"]) == 0
    assert asked.empty()


def test_a_browser_that_runs_until_it_is_closed_has_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def browse(address: str) -> None:
        with urllib.request.urlopen(address, timeout=PATIENCE) as page:
            seen.append(page.read().decode())
        _thread.interrupt_main()  # Ctrl-C, while the browser is open

    monkeypatch.setattr("webbrowser.open", browse)
    monkeypatch.setenv("BROWSER", "links")
    assert cli.run(["play", "--port", "0"]) == 0
    assert seen == [PAGE]
    assert capsys.readouterr().err == ""


def test_a_browser_that_cannot_be_named_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "'%s")  # half a quotation
    monkeypatch.setattr("webbrowser._tryorder", ["'%s"])
    module._open("http://127.0.0.1:1/")


def test_it_says_which_port_it_took_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "serve_forever", interrupted)
    with listening("a page", None):
        assert cli.run(["play", "--no-open"]) == 0
    said = capsys.readouterr().out
    port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", said)[1])
    assert said.startswith(f"Port {PORT} is taken; this is at {port}.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--surface", "rosenbrok"], "no surface called 'rosenbrok'; did you mean 'rosenbrock'?"),
        (["--lesson", "xyz"], "no lesson called 'xyz'; there are: "),
        (
            ["--surface", "slice"],
            "the surface 'slice' is a measured one: give its file too (--slice FILE.json)",
        ),
        (["--surface", "beale", "--lesson", "xyz"], "give one of surface, lesson and state"),
        (["--slice", "nothing.json"], "nothing.json"),
        (["--export", "page.html", "--port", "8000"], "--export serves nothing, so there is no --port"),
        (["--port", "99999"], "less than or equal to 65535"),
        (["--export", "no/such/folder.html"], "cannot write no/such/folder.html: No such file or directory"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["play", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("thalweg: ")
    assert message in said.err
    assert said.err.count("\n") == 1
