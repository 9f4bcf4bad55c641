"""The tests of the front end's sources, which node runs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
FILES = sorted(WEB.glob("test/**/*.test.mjs"))


def test_there_are_some() -> None:
    assert len(FILES) > 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_of_the_front_end(path: Path) -> None:
    node = shutil.which("node")
    assert node, "the front end is tested with node, and there is none: install nodejs, 18 or newer"
    result = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    counts = {key: int(n) for key, n in re.findall(r"^# (\w+) (\d+)$", result.stdout, re.MULTILINE)}
    assert counts["pass"] > 0
    assert counts["skipped"] == counts["todo"] == counts["fail"] == 0
