"""The one place where an exception becomes a line for the user and an exit code."""

import errno
import os
import platform
import select
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version

import typer

from thalweg.errors import UserError

OK, DEFECT, BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
_MENDABLE = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR,
    errno.EISDIR, errno.ENAMETOOLONG, errno.EFBIG,
}  # fmt: skip


def handled(call: Callable[[], None], arguments: Sequence[str]) -> int:
    """Run a command; print one line about what went wrong, if anything; return the exit code.

    Args:
        call: the command.
        arguments: what the user typed, for the record of a defect.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            _replace_what_cannot_be_shown(stream)
        call()
        sys.stdout.flush()
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _say("stopped", INTERRUPTED)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_has_gone():
            return PIPE_CLOSED
        return _explain(error, arguments)
    return OK


def _explain(error: Exception, arguments: Sequence[str]) -> int:
    if isinstance(error, UserError):
        return _say(str(error), BAD_INPUT)
    if isinstance(error, typer.TyperException):
        return _say(_usage(error), BAD_INPUT)
    if isinstance(error, OSError) and error.errno in _MENDABLE:
        return _say(f"{error.strerror}: {error.filename or 'no file named'}", BAD_INPUT)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return _say(f"this is a defect in thalweg ({what}); {_record(error, arguments)}", DEFECT)


def _usage(error: typer.TyperException) -> str:
    """Return typer's message with the command whose help explains it."""
    message = error.format_message().rstrip(".?").replace("'. Did", "'; did")
    context = getattr(error, "ctx", None)  # only errors of usage carry one, and their class is private
    path = context.command_path if context else "thalweg"
    return f"{message[:1].lower()}{message[1:]}; see {path} --help"


def _record(error: Exception, arguments: Sequence[str]) -> str:
    """Write the traceback to a file and return a sentence that says where it is."""
    about = f"thalweg {version('thalweg')}, Python {platform.python_version()}, {platform.platform()}"
    report = f"{about}\nthalweg {' '.join(arguments)}\n\n{''.join(traceback.format_exception(error))}"
    try:
        handle, path = tempfile.mkstemp(prefix="thalweg-", suffix=".txt", text=True)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(report)
    except OSError:
        print(report, file=sys.stderr)
        return "the traceback above belongs in a report of it"
    return f"please report it with the traceback in {path}"


def _say(message: str, code: int) -> int:
    """Print one line, whatever the message holds."""
    print(f"thalweg: {' '.join(message.split())}", file=sys.stderr)
    return code


def _replace_what_cannot_be_shown(stream: object) -> None:
    """Let a terminal without Unicode show question marks instead of ending the program."""
    reconfigure = getattr(stream, "reconfigure", None)  # absent where tests or notebooks capture output
    if reconfigure is not None:
        reconfigure(errors="replace")


def _reader_has_gone() -> bool:
    """Tell whether standard output is the pipe that broke, and if so let go of it in silence."""
    output = select.poll()
    output.register(1, 0)
    if not any(event & select.POLLERR for _, event in output.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains at its end
    return True
