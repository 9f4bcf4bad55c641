"""``thalweg tasks`` lists, ``thalweg tasks new`` writes and never overwrites."""

import pytest
from typer.testing import CliRunner

from thalweg import tasks
from thalweg.cli.tasks import app
from thalweg.errors import UserError


def invoke(*arguments):
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_list_names_every_task(monkeypatch):
    monkeypatch.delenv("THALWEG_DATA", raising=False)
    result = invoke()
    assert result.exit_code == 0
    assert all(f"{name}: " in result.output for name in tasks.names())
    assert "269,322 parameters; 12,000 + 2,000 + 2,000 samples; batch 128; 930 steps" in result.output
    assert "bits per character, lower is better" in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_new_writes_the_template(tmp_path):
    path = tmp_path / "mine.py"
    assert f"thalweg race {path}" in invoke("new", str(path)).output
    assert path.read_text() == tasks.template()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine.py", "exists; choose another name"),
        ("mine", "is no name for a Python file"),
        ("absent/mine.py", "cannot write .*: No such file or directory"),
    ],
)
def test_new_refuses(tmp_path, name, message):
    (tmp_path / "mine.py").write_text("# precious")
    with pytest.raises(UserError, match=message):
        invoke("new", str(tmp_path / name))
    assert (tmp_path / "mine.py").read_text() == "# precious"
