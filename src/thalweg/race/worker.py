"""A worker process: imports torch and loads the task once, then runs what it is sent.

Requests come in on standard input and replies go out on standard output, as JSON. What the user's code
prints goes to standard error, which the driver points at a log file.
"""

import ctypes
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from thalweg.errors import UserError

Send = Callable[[dict[str, Any]], None]

# Spawned with this line: an interrupt from the keyboard is the driver's business from the first moment on.
BOOT = (
    "import json, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = json.loads(sys.argv[1]); from thalweg.race.worker import main; main(*sys.argv[2:])"
)


def main(source: str, parent: str) -> None:
    """Serve requests for the task ``source`` until the driver, process ``parent``, is gone."""
    began = perf_counter()
    die_with(int(parent))
    requests = Connection(os.dup(0), writable=False)
    replies = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, inbox), daemon=True).start()

    def send(message: dict[str, Any]) -> None:
        replies.send_bytes(json.dumps(message).encode())

    try:
        serve(source, inbox, send, began)
    except BrokenPipeError:
        sys.exit(0)


def die_with(parent: int) -> None:
    """End with the driver even if it is killed (Linux; elsewhere `_listen` sees the pipe close)."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
        if os.getppid() != parent:  # it died before this was asked for
            os._exit(0)


def _listen(requests: Connection, inbox: "queue.SimpleQueue[dict[str, Any]]") -> None:
    while True:
        try:
            inbox.put(json.loads(requests.recv_bytes()))
        except (EOFError, OSError):
            os._exit(0)


def serve(source: str, inbox: "queue.SimpleQueue[dict[str, Any]]", send: Send, began: float) -> None:
    """Load the task, say so, and answer requests for ever."""
    from thalweg.race.calibrate import speed
    from thalweg.race.recipe import Recipe
    from thalweg.race.run import run
    from thalweg.race.training import Point
    from thalweg.tasks import load

    def answer(request: dict[str, Any]) -> None:
        key = request.pop("key", "")

        def on_point(point: Point) -> None:
            send({"is": "point", "key": key, "step": point.step})

        if request.pop("do") == "speed":
            send({"is": "speed", **speed(task, **request)})
        else:
            recipe = Recipe.from_json(request.pop("recipe"))
            result = run(task, recipe, **request, on_point=on_point)
            send({"is": "run", "key": key, "result": vars(result)})

    try:
        task = load(source)
        send({"is": "ready", "seconds": perf_counter() - began})
        while True:
            answer(inbox.get())
    except UserError as error:
        send({"is": "refused", "message": str(error)})
