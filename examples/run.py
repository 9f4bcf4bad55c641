"""Run all examples, two at a time, on one thread each: ``python examples/run.py``."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = sorted(Path(__file__).parent.glob("[0-9][0-9]_*.py"))
AT_ONCE = 2
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}


@dataclass(frozen=True)
class Outcome:
    """How the run of one example ended."""

    file: Path
    code: int
    seconds: float
    output: str
    errors: str


def run(file: Path, options: list[str]) -> Outcome:
    """Run one example in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, str(file), *options]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=ENVIRONMENT, check=False)
    return Outcome(file, done.returncode, time.perf_counter() - start, done.stdout, done.stderr)


def main(options: list[str], files: list[Path] = EXAMPLES) -> int:
    """Run the examples with the options given to each; return 1 if one of them failed."""
    start, failed = time.perf_counter(), []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for place, outcome in enumerate(pool.map(lambda file: run(file, options), files), 1):
            verdict = outcome.output.partition("\n")[0] if outcome.code == 0 else "FAILED"
            print(
                f"{place:2}/{len(files)}  {outcome.seconds:4.0f} s  {outcome.file.name}: {verdict}",
                flush=True,
            )
            if outcome.code:
                failed.append(outcome)
    for outcome in failed:
        print(f"\n{outcome.file.name} ended with code {outcome.code}:\n{outcome.errors}", file=sys.stderr)
    print(f"{len(files) - len(failed)} of {len(files)} examples in {time.perf_counter() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
