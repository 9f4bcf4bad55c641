"""The committed bundle: built from these sources, small, with its licences, no door to the network."""

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

from thalweg.playground.bundle import bundle, names

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
LIMIT = 200 * 1024
CODE, _, LICENCES = bundle().partition("/*! d3-array")


def sources() -> str:
    """The hash that ``web/build.mjs`` computes."""
    files = [path for path in (WEB / "src").rglob("*") if path.is_file()]
    named = {p.relative_to(WEB).as_posix(): p for p in [*files, WEB / "package.json", WEB / "build.mjs"]}
    digest = hashlib.sha256()
    for name in sorted(named):
        content = named[name].read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def test_it_was_built_from_these_sources() -> None:
    stated = re.match(r"/\* thalweg playground; sources sha256:([0-9a-f]{64});", bundle())[1]
    assert stated == sources(), "web/ has changed since the bundle was built; run: make web"


def test_it_was_built_with_the_pinned_versions() -> None:
    package = json.loads((WEB / "package.json").read_text())
    pinned = {**package["devDependencies"], **package["dependencies"]}
    head = bundle().partition("\n")[0]
    for name, version in pinned.items():
        assert re.fullmatch(r"[\d.]+", version), f"{name}: a version, not a range"
        assert f"{name} {version}" in head


def test_it_is_small(say: Callable[[str], None]) -> None:
    size = len(gzip.compress(bundle().encode(), 9))
    say(f"playground.js: {len(bundle()) / 1024:.0f} KB, {size / 1024:.1f} KB gzipped")
    assert size <= LIMIT


def test_it_cannot_ask_the_network_or_run_text() -> None:
    doors = (
        r"\b(fetch|eval|importScripts|import|require|Function|XMLHttpRequest|WebSocket|EventSource|Worker"
        r"|SharedWorker|sendBeacon)\s*\("
    )
    found = [CODE[max(0, m.start() - 30) : m.end() + 30] for m in re.finditer(doors, CODE)]
    assert found == []
    assert "@import" not in CODE
    assert not re.search(r"url\((?!['\"\\]*(?:data:|#))", CODE)


def test_it_can_stand_in_a_script_element() -> None:
    assert not re.search(r"</script|<!--", bundle(), re.IGNORECASE)


def test_the_licences_of_what_is_in_it_are_with_it_and_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text()
    for name, version in json.loads((WEB / "package.json").read_text())["dependencies"].items():
        assert f"/*! {name} {version}\n" in bundle()
        assert f"{name} {version}" in notice
    assert LICENCES.count("Permission to use, copy, modify") == 3
    assert LICENCES.count("Permission is hereby granted, free of charge") == 1


def test_python_knows_its_names() -> None:
    assert {"quadratic", "rosenbrock", "slice"} <= set(names().surfaces)
    assert len(names().lessons) >= 8
