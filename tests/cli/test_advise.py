import json
from pathlib import Path

import pytest

from thalweg import cli


def end(arguments: list[str], capsys) -> tuple[int, str, str]:
    code = cli.run(["advise", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_advice_in_words(tiny, capsys):
    code, out, err = end([str(tiny), "--device", "cpu"], capsys)
    assert (code, err) == (0, "")
    assert out.startswith("tiny: 26 parameters in 1 Linear\nbatch 20 of 200 samples; a full run is 40 steps;")
    assert "\nadamw lr " in out
    assert "arXiv:1711.05101" in out
    assert max(map(len, out.splitlines())) <= 100


def test_advice_as_json_and_as_a_recipe_that_trains(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, err = end(["tiny.py", "--json", "--out", "advice.json"], capsys)
    assert (code, err) == (0, "")
    given = json.loads(out)
    assert given["recipe"] == json.loads(Path("advice.json").read_text())["recipe"]
    assert {choice["what"] for choice in given["choices"]} >= {"optimizer", "lr", "warm-up", "then"}
    code, out, _ = end(["tiny.py", "--out", "advice.json"], capsys)
    line = out.splitlines()[-1]
    assert line == "Train   thalweg train tiny.py --recipe advice.json"
    assert cli.run([*line.split()[2:], "--quiet"]) == 0
    assert "40 steps · seed 0" in capsys.readouterr().out


WRONG = {
    "no task": (["--json"], "missing argument 'TASK'"),
    "no such task": (["fashion-mpl"], "did you mean 'fashion-mlp'?"),
    "a task that fails": (["bad.py"], "bad.py, line"),
    "no folder": (["tiny.py", "--out", "no/r.json"], "there is no folder no; make it first"),
    "a folder": (["tiny.py", "--out", "."], "cannot write ."),
    "no such device": (["tiny.py", "--device", "abacus"], "no device called 'abacus'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_one_line_and_exit_code_2(name, tiny, tiny_text, monkeypatch, capsys):
    monkeypatch.chdir(tiny.parent)
    Path("bad.py").write_text(tiny_text.replace("nn.Linear(12, 2)", "nn.Linear(11, 2)"))
    arguments, words = WRONG[name]
    code, out, err = end(arguments, capsys)
    assert (code, out) == (2, "")
    assert err.startswith("thalweg: ")
    assert words in err
    assert err.count("\n") == 1
