"""Runs the command line in a process that was forked from one with everything imported: it starts at once."""

import os
import sys

from thalweg import cli


def drive(arguments: list[str], log: str, runs: str, cores: int) -> None:
    """End this process with the exit code of ``thalweg ARGUMENTS``; output goes to ``log``."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ["RUNS"] = runs
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    sys.exit(cli.run(arguments))
