"""Writing a file so that it appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from thalweg.errors import UserError


def save(text: str, path: Path) -> Path:
    """Write text to a file in one move: it is written beside its place first.

    Raises:
        UserError: the folder cannot be written, or in its place is something else than a file: a folder, or
            a device, which the move would replace.
    """
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"cannot write {path}: it is there and is no file; choose another name")
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from error
    return path
