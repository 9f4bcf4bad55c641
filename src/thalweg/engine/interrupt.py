"""Holding Ctrl-C back while a step is written, so that a checkpoint saved on KeyboardInterrupt is whole."""

import signal
import threading
from types import TracebackType
from typing import Any

__all__ = ["held"]


# CPython's own functions: their public wrappers look up enum members, at ten times the cost.
_native: Any = getattr(signal, "_signal", signal)
_get, _set = _native.getsignal, _native.signal
_INTERRUPT = int(signal.SIGINT)


class held:  # noqa: N801 - a context manager, used as one: `with held():`
    """Within this context an interrupt waits; it is delivered at the end, to the handler that was there.

    Python delivers signals to the main thread, between two of its instructions; in another thread, or where
    Ctrl-C has no Python handler, there is nothing to hold.
    """

    def __enter__(self) -> None:
        """Put a handler in place that only takes note."""
        self.waiting: list[tuple[Any, ...]] = []
        self.handler: Any = None
        if threading.get_ident() == threading.main_thread().ident:
            handler = _get(_INTERRUPT)
            if callable(handler):
                _set(_INTERRUPT, self._take_note)
                self.handler = handler

    def _take_note(self, *event: Any) -> None:
        self.waiting.append(event)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the handler back, and tell it what came."""
        if self.handler is None:
            return
        _set(_INTERRUPT, self.handler)
        if self.waiting:
            self.handler(*self.waiting[0])
