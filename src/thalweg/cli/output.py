"""Where a command writes: found out before the work, not after it."""

from pathlib import Path

from thalweg.errors import UserError


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written.

    Raises:
        UserError: its folder is not there, or it cannot be opened.
    """
    if not path.parent.exists():
        raise UserError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    try:
        path.open("ab").close()
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another --out") from error
