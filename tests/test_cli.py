"""The command line: what each command prints, where it prints it, and what it says when something is wrong."""

import errno
import importlib
import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import click
import pytest
from sqlalchemy import text

from quizprop import __version__, cli
from quizprop.cli import layout
from quizprop.exercise.bank import load_bank
from quizprop.exercise.bulk import Chunk
from quizprop.exercise.figures import to_places
from quizprop.exercise.grade import grade
from quizprop.exercise.lines import WAITING, UnevenLines
from quizprop.exercise.record import read_record
from quizprop.store import classroom, decisions, handed_in, people, schema, sets
from quizprop.store.database import open_database
from quizprop.store.rules import Policy

FAMILY = """
format = 1
title = "One unit"
sentence = "One *sigmoid* unit."
asked = ["z1", "a1"]
[network]
layers = [1, 1]
activations = ["sigmoid"]
[values]
x = {x}
t = 1
W1 = 0.5
b1 = 0.1
eta = 0.1
"""


def sheets(run, *, count=3, exercise="mazur-like"):
    run("generate", exercise, "-n", count, "--seed", 7, "-o", "sheets.jsonl")
    return [read_record(line).instance for line in Path("sheets.jsonl").read_bytes().splitlines()]


def answer(instance, **changes):
    right = {cell.key: to_places(instance.values[cell.key], instance.exercise.places) for cell in instance.cells}
    return right | changes


def every_command(command=cli.main, path=()):
    yield path
    for name, each in getattr(command, "commands", {}).items():
        yield from every_command(each, (*path, name))


# ---------------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("path", list(every_command()), ids=" ".join)
def test_every_command_explains_itself_in_eighty_columns(run, path):
    text = run(*path, "--help").stdout
    assert text == run(*path, "-h").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "..." not in text.partition("Commands:")[2], "a summary is cut off: shorten its first sentence"


@pytest.mark.parametrize("name", ["bank", "db", "user", "sets", "courses"])
def test_a_group_names_all_its_commands(run, name):
    summary = run(name, "--help").stdout.partition("\n\n")[2].partition("\n\n")[0]
    assert summary.strip().partition(": ")[2].rstrip(".").split(", ") == list(cli.main.commands[name].commands)


def test_help_needs_nothing_but_click():
    heavy = ("alembic", "flask", "numpy", "orjson", "pydantic", "rich", "sqlalchemy", "waitress")
    code = f"""
import sys
from quizprop.cli import main
try:
    main(["--help"])
except SystemExit:
    print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout
    assert done.stderr.strip() == "[]"


def test_the_version_is_the_packages(run):
    assert run("--version").stdout == f"quizprop {__version__}\n"


@pytest.mark.parametrize("name", sorted(cli._FOR_PEOPLE))
def test_every_error_for_people_exists(name):
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_a_mistake_of_the_program_keeps_its_traceback(run, monkeypatch):
    monkeypatch.setattr("quizprop.cli.families.list_all", lambda: {}["nothing"])
    with pytest.raises(KeyError):
        run("bank", "list")


# ------------------------------------------------------------------------------------------------------------ generate


def test_generate_writes_the_same_bytes_to_a_file_and_to_a_pipe(run):
    lines = run("generate", "mazur-like", "-n", 3, "--seed", 7).stdout_bytes
    assert [json.loads(line)["index"] for line in lines.splitlines()] == [0, 1, 2]
    assert lines.endswith(b"\n")
    run("generate", "mazur-like", "-n", 3, "--seed", 7, "-o", "sheets.jsonl")
    assert Path("sheets.jsonl").read_bytes() == lines
    assert run("generate", "mazur-like", "-n", 3, "--seed", 8).stdout_bytes != lines


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(run):
    file = Path("sheets.jsonl")
    file.write_text("old")
    file.chmod(0o640)
    link = Path("link.jsonl")
    link.symlink_to(file)
    run("generate", "mazur", "-o", link)
    assert link.is_symlink()
    assert file.read_text().startswith('{"format":1')
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in Path().iterdir()) == ["link.jsonl", "sheets.jsonl"]


def test_a_file_stays_as_it_was_when_the_work_breaks_off(run, monkeypatch):
    def breaks_off(*_, **__):
        yield Chunk(0, UnevenLines.of([b"{}"], waiting=WAITING), {})
        raise KeyboardInterrupt

    monkeypatch.setattr("quizprop.cli.bulk.chunks", breaks_off)
    Path("sheets.jsonl").write_text("old")
    assert "Aborted!" in run("generate", "mazur", "-n", 5, "-o", "sheets.jsonl", status=1).stderr
    assert [(path.name, path.read_text()) for path in Path().iterdir()] == [("sheets.jsonl", "old")]


def test_a_device_is_written_to_and_not_replaced(run):
    run("generate", "mazur", "-o", "/dev/null")
    assert not Path("/dev/null").is_file()


def test_an_exercise_may_be_a_file(run):
    Path("unit.toml").write_text(FAMILY.format(x="{ choices = [0.5, 1.5] }"))
    assert json.loads(run("generate", "./unit.toml").stdout)["exercise"] == "unit"


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-c", "from quizprop.cli import main; main()", "generate", "mazur", "-n", "50000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_bar_shows_only_where_the_work_is_long_and_a_terminal_there(run, terminal, monkeypatch):
    assert run("generate", "mazur", "-n", 3000, "-o", "a.jsonl").stderr == ""
    terminal(60)
    assert run("generate", "mazur", "-n", 3000, "-o", "a.jsonl").stderr == ""
    monkeypatch.setattr(layout, "_PATIENCE", 0)
    assert "3,000 of 3,000" in run("generate", "mazur", "-n", 3000, "-o", "a.jsonl").stderr
    assert run("generate", "mazur", "-n", 3000).stderr == "", "the lines themselves go to the terminal"


# --------------------------------------------------------------------------------------------------------------- solve


def test_solve_prints_mazurs_numbers(run):
    lines = run("solve", "mazur").stdout.splitlines()
    assert lines[0] == "Mazur's network"
    assert "w1 = 0.15,  w2 = 0.2,  w3 = 0.25,  w4 = 0.3" in lines
    assert "b1 = 0.35" in lines
    assert "net_h1 = w1 · i1 + w2 · i2 + b1 = 0.15 · 0.05 + 0.2 · 0.1 + 0.35 = 0.3775" in lines
    assert "E_total = E_o1 + E_o2 = 0.274811083 + 0.023560026 = 0.298371109" in lines
    assert "w1⁺ = w1 − η · ∂E_total/∂w1 = 0.15 − 0.5 · 0.000438568 = 0.149780716" in lines
    headings = ["Given", "Forward pass", "Error", "Output deltas", "Hidden deltas", "Gradients", "Update"]
    assert [line for line in lines if line in headings] == headings


@pytest.mark.parametrize(("setting", "styled"), [("NO_COLOR=1", False), ("TERM=dumb", False), ("NO_COLOR=", True)])
def test_a_terminal_without_styles_gets_none(run, terminal, monkeypatch, setting, styled):
    terminal(80)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(*setting.split("="))
    for command in (["solve", "mazur"], ["bank", "list"]):
        assert ("\x1b[" in run(*command, color=True).stdout) == styled


def test_solve_takes_a_seed_a_notation_and_digits(run):
    assert run("solve", "mazur-like", "--seed", 1).stdout != run("solve", "mazur-like", "--seed", 2).stdout
    assert "z1[1] = W1[1,1] · x[1]" in run("solve", "mazur", "--notation", "plain").stdout
    assert "E_total = E_o1 + E_o2 = 0.275 + 0.024 = 0.298" in run("solve", "mazur", "--digits", 3).stdout


def test_a_line_of_a_file_is_solved_in_the_notation_of_its_exercise(run):
    sheets(run)
    drawn = run("solve", "mazur-like", "--seed", 7).stdout
    lines = run("solve", "--line", "sheets.jsonl:1").stdout
    assert lines.partition("\n")[2] == drawn.partition("\n")[2]
    assert "net_h1 = " in run("solve", "--line", "sheets.jsonl:1", "--notation", "mazur").stdout
    Path("unit.toml").write_text(FAMILY.format(x="4"))
    run("generate", "unit.toml", "-o", "unit.jsonl")
    assert "z1[1] = W1[1,1] · x[1] + b1[1] = 0.5 · 4 + 0.1 = 2.1" in run("solve", "--line", "unit.jsonl:1").stdout


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_a_solution_fits_the_terminal_with_one_equals_sign_below_the_other(run, terminal, columns):
    unfolded = run("solve", "mazur").stdout
    terminal(columns)
    lines = click.unstyle(run("solve", "mazur").stdout).splitlines()
    assert max(map(len, lines)) <= columns
    at = lines.index("Forward pass") + 2
    assert [line.index("=") for line in lines[at : at + (3 if columns == 60 else 1)]] == [7] * (
        3 if columns == 60 else 1
    )
    assert "".join(unfolded.split()).replace("─", "") == "".join("".join(lines).split()).replace("─", "")


@pytest.mark.parametrize(
    ("place", "status", "message"),
    [
        ("sheets.jsonl", 2, "is not FILE:N"),
        ("sheets.jsonl:0", 2, "is not FILE:N"),
        ("sheets.jsonl:4", 2, "sheets.jsonl has fewer than 4 lines"),
        ("other.jsonl:1", 1, "other.jsonl: No such file"),
        ("bad.jsonl:1", 1, "bad.jsonl:1: not JSON"),
    ],
)
def test_a_line_that_is_not_there_is_said(run, place, status, message):
    sheets(run)
    Path("bad.jsonl").write_text("bad\n")
    assert message in run("solve", "--line", place, status=status).stderr


def test_a_solution_begins_with_what_it_reads_and_nothing_else(run):
    forward, whole = (
        run("solve", name, "--notation", "plain").stdout.splitlines() for name in ("forward-pass", "mazur-like")
    )
    assert [any(line.startswith("t[1] = ") for line in lines) for lines in (forward, whole)] == [False, True]


def test_a_solution_can_start_further_down(run):
    whole = run("solve", "deltas").stdout
    part = run("solve", "deltas", "--from", "delta1[1]").stdout
    given, _, steps = part.partition("Hidden deltas")
    assert whole.startswith(given)
    assert whole.endswith(steps)
    assert "Output deltas" not in part
    refused = run("solve", "deltas", "--from", "z1[1]", status=2)
    assert "'z1[1]' is no step of this solution" in refused.stderr
    assert not refused.stdout


def test_a_hint_has_three_rungs_and_no_value_that_is_asked(run):
    lines = run("hint", "mazur", "dE_da1[1]").stdout.splitlines()
    assert [line for line in lines if line in ("Idea", "Formula", "With the numbers given")] == [
        "Idea",
        "Formula",
        "With the numbers given",
    ]
    assert "∂E_total/∂out_h1 = w5 · δ_o1 + w7 · δ_o2" in lines
    assert "∂E_total/∂out_h1 = 0.4 · δ_o1 + 0.5 · δ_o2" in lines
    matrices = run("hint", "mazur-like", "delta1[1]", "--seed", 3, "--notation", "matrix").stdout
    assert "dz^[1] = da^[1] ⊙ g'^[1](z^[1])" in matrices
    assert "'q' is not asked; mazur asks for z1[1]" in run("hint", "mazur", "q", status=2).stderr


def test_solve_wants_an_exercise_or_a_line(run):
    assert "quizprop solve mazur" in run("solve", status=2).stderr
    assert "quizprop solve mazur" in run("solve", "mazur", "--line", "a:1", status=2).stderr


# --------------------------------------------------------------------------------------------------------------- grade


def test_what_grade_prints_is_what_grading_finds(run):
    instances = sheets(run)
    answers = [answer(instances[0]), answer(instances[2], **{"z1[1]": "0.5", "z1[2]": ""})]
    rows = [{"student": "ada", "index": 0, "answers": answers[0]}, {"index": 2, "answers": answers[1]}]
    Path("answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = run("grade", "sheets.jsonl", "answers.jsonl")
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["student"], first["points"], first["out_of"], first["first_error"]) == ("ada", 39.0, 39, None)
    expected = grade(instances[2], answers[1])
    assert second["points"] == expected.points < 39
    assert second["first_error"] == expected.first_error == "z1[1]"
    assert {key: mark["verdict"] for key, mark in second["marks"].items()} == {
        key: mark.verdict for key, mark in expected.marks.items()
    }
    assert result.stderr == ""


def test_answers_may_come_from_a_pipe_with_decimal_commas(run):
    (instance,) = sheets(run, count=1)
    commas = {key: text.replace(".", ",") for key, text in answer(instance).items()}
    row = json.dumps({"index": 0, "answers": commas})
    read = run("grade", "sheets.jsonl", "-", "--decimal-comma", input="\ufeff" + row)
    marks = json.loads(read.stdout)
    assert (marks["points"], read.stderr) == (39, "")
    assert marks["marks"]["E"]["read"] == float(to_places(instance.values["E"], 4))


def test_who_forgets_that_there_are_decimal_commas_is_told(run):
    (instance,) = sheets(run, count=1)
    keys = [cell.key for cell in instance.cells]
    Path("answers.csv").write_text(
        ";".join(["index", *keys]) + "\n" + ";".join(["0", "-0,5", *["0.5"] * (len(keys) - 1)])
    )
    assert "unreadable: 1. Is it --decimal-comma?" in run("grade", "sheets.jsonl", "answers.csv").stderr


def test_bad_rows_are_reported_by_line_and_the_rest_is_graded(run):
    instances = sheets(run)
    Path("sheets.jsonl").write_bytes(Path("sheets.jsonl").read_bytes() + b"oops\n")
    good = json.dumps({"index": 1, "answers": answer(instances[1])})
    rows = ["", "{", good, '{"index": 9, "answers": {}}', '{"index": 0, "answers": {"z9": 1}}']
    result = run("grade", "sheets.jsonl", "-", input="\n".join(rows), status=1)
    assert [json.loads(line)["index"] for line in result.stdout.splitlines()] == [1]
    places = [line.partition(": ")[0] for line in result.stderr.splitlines()]
    assert places == ["sheets.jsonl:4", "<stdin>:2", "<stdin>:4", "<stdin>:5"]
    assert "no exercise has the index 9" in result.stderr
    assert "z9 is not asked" in result.stderr


def test_a_terminal_gets_a_summary_of_the_class(run, terminal):
    instances = sheets(run)
    wrong = {f"da_dz2[{unit}]": to_places(1 - instances[1].values[f"a2[{unit}]"], 4) for unit in (1, 2)}
    rows = [{"index": 0, "answers": answer(instances[0])}, {"index": 1, "answers": answer(instances[1], **wrong)}]
    terminal(80)
    summary = click.unstyle(run("grade", "sheets.jsonl", "-", input="\n".join(map(json.dumps, rows))).stderr)
    assert "2 graded, 1 without an error, 97% of the points" in summary
    assert "1  da_dz2:slope_one_minus_a  only 1 - a" in summary
    right = run("grade", "sheets.jsonl", "-", input=json.dumps(rows[0])).stderr
    assert click.unstyle(right) == "1 graded, 1 without an error, 100% of the points\n"
    assert run("grade", "sheets.jsonl", "-", input="").stderr == ""


def test_files_of_two_seeds_in_one_are_refused(run):
    sheets(run, count=1)
    Path("sheets.jsonl").write_bytes(2 * Path("sheets.jsonl").read_bytes())
    assert "lines 1 and 2 both have the index 0" in run("grade", "sheets.jsonl", "-", input="", status=1).stderr
    run("grade", "nowhere.jsonl", "-", status=2)


# ---------------------------------------------------------------------------------------------------------------- bank


def test_the_bank_is_listed_in_lines_without_spaces_at_the_end(run):
    lines = run("bank", "list").stdout.splitlines()
    assert any(line.split() == ["mazur", "Mazur's", "network", "2-2-2", "39", "fixed"] for line in lines)
    assert all(line == line.rstrip() for line in lines)
    # The numbers are fixed there, too, but what is asked about them is not.
    assert next(line for line in lines if line.startswith("find-slip-mazur ")).endswith("  new")


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_the_bank_is_listed_in_the_terminals_width_and_no_word_is_broken(run, terminal, columns):
    terminal(columns)
    listed = click.unstyle(run("bank", "list").stdout)
    assert max(map(len, listed.splitlines())) <= columns
    told = {word for one in load_bank().values() for text in (one.title, one.model.outline) for word in text.split()}
    assert told - set(listed.split()) == set()


def test_in_a_narrow_terminal_what_to_type_is_whole(run, terminal):
    terminal(46)
    lines = click.unstyle(run("bank", "list").stdout).splitlines()
    assert max(map(len, lines)) <= 46
    assert {line.split()[0] for line in lines} >= set(load_bank())


def test_an_exercise_is_shown_with_what_it_is_certified_for(run, terminal):
    text = run("bank", "show", "mazur").stdout
    assert text.startswith("Mazur's network\n\nThe worked example that taught a generation: two inputs")
    assert "A Step by Step Backpropagation Example (2015)" in text
    assert "W1   [[0.15, 0.2], [0.25, 0.3]]" in text
    assert "grad_W2:input_left_out" in text
    assert "other_units_slope  another" not in text.partition("delta1:")[2], "a blind spot"
    assert "a1  shown" in run("bank", "show", "deltas").stdout
    assert "0.5 or 0.6 or 0.8" not in run("bank", "show", "deltas").stdout, "the learning rate is not needed"
    assert "-1.2 to 1.2 in steps of 0.1" in run("bank", "show", "mazur-like").stdout
    terminal(60)
    assert max(map(len, click.unstyle(run("bank", "show", "mazur").stdout).splitlines())) <= 60


def test_a_one_hot_target_is_shown_in_words(run):
    text = FAMILY.format(x="2").replace("\nt = 1", "\nt = { one_hot = true }").replace("[1, 1]", "[1, 3]")
    text = text.replace('"sigmoid"', '"softmax"').replace('"a1"]', '"E"]')
    Path("softmax.toml").write_text(text)
    shown = run("bank", "show", "softmax.toml").stdout
    assert "\nt   a single 1, the rest 0\n" in shown
    assert "One sigmoid unit." in shown


def test_check_tells_how_much_is_certified_and_what_rejects_the_rest(run):
    table = run("bank", "check", "mazur-like", "mazur", "-n", 300).stdout
    assert "mazur            100%\n" in table
    assert "delta1 can't show delta1:other_units_slope (" in table
    assert table.count("%)") == 3, "the worst rules"
    rows = [json.loads(line) for line in run("bank", "check", "--json", "-n", 100).stdout.splitlines()]
    assert {"mazur", "mazur-like"} <= {row["exercise"] for row in rows}
    for row in rows:
        assert row["certified"] + sum(row["rejected"].values()) == row["candidates"] in (1, 100)
        assert row["problem"] is None


def test_a_check_of_many_families_tells_how_far_it_is_where_a_terminal_is(run, terminal, monkeypatch):
    monkeypatch.setattr(layout, "_PATIENCE", 0.0)
    words = ("bank", "check", "mazur", "han-kamber", "circuit-cs231n")
    assert run(*words).stderr == ""
    terminal(80)
    assert "3 of 3" in run(*words).stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("worksheet", "mazur-like", "-n", 2, "-o", "a.html", "--key", "b.html"),
            ["Drawing 2 sheets", "Setting b.html"],
        ),
        (("export", "mazur-like", "--format", "moodle", "-n", 1, "-o", "a.xml"), ["Writing 1 variant"]),
    ],
)
def test_what_takes_long_says_on_a_terminal_what_it_is_at(run, terminal, monkeypatch, words, told):
    class AtOnce(threading.Timer):
        def start(self):
            self.function()

        def join(self, timeout=None):
            pass

    monkeypatch.setattr(layout, "Timer", AtOnce)
    assert not any(what in run(*words).stderr for what in told)
    terminal(80)
    said = run(*words).stderr
    assert all(what in said for what in told)


def test_a_family_that_cannot_be_certified_fails_the_check_with_the_way_out(run):
    Path("zero.toml").write_text(FAMILY.format(x="-0.2"))  # z = 0
    result = run("bank", "check", "zero.toml", "mazur", "--json", status=1)
    zero, mazur = map(json.loads, result.stdout.splitlines())
    assert (zero["certified"], mazur["certified"]) == (0, 1)
    assert result.stderr.startswith("Error: zero: no instance can be certified.")
    assert zero["problem"] in result.stderr
    assert "Way out" in run("generate", "zero.toml", status=1).stderr


def test_a_rare_family_is_not_called_impossible(run, monkeypatch):
    monkeypatch.setattr("quizprop.cli.families.draw", lambda *_: None)
    Path("zero.toml").write_text(FAMILY.format(x="-0.2"))
    assert "0%" in run("bank", "check", "zero.toml").stdout


@pytest.mark.parametrize("command", [["generate"], ["solve"], ["bank", "show"], ["bank", "check"]])
def test_an_unknown_or_a_broken_exercise_is_said_in_words(run, command):
    Path("broken.toml").write_text("format = 1\n[network]\nlayers = [1]\n")
    unknown = run(*command, "mazr", status=2).stderr
    assert "No exercise named 'mazr' in the problem bank. Did you mean mazur?" in unknown
    assert "quizprop bank list" in unknown
    assert "Did you mean" not in run(*command, "nothing-of-the-kind", status=2).stderr
    assert run(*command, "none.toml", status=1).stderr.startswith("Error: none.toml: can't be read")
    assert "broken.toml: title: is missing; it has to be there" in run(*command, "broken.toml", status=1).stderr
    Path("Homework3.toml").write_text(FAMILY.format(x="4"))
    misnamed = run(*command, "Homework3.toml", status=1).stderr
    assert misnamed.startswith("Error: Homework3.toml: the file's name has small letters and digits")
    assert "as in homework-3.toml" in misnamed


def test_another_bank_may_be_named_in_the_environment(run, monkeypatch):
    monkeypatch.setenv("QUIZPROP_PROBLEM_BANK", str(Path("mine").absolute()))
    assert "mine: can't be read: No such file" in run("bank", "list", status=1).stderr
    Path("mine").mkdir()
    assert "mine: holds no exercise file" in run("bank", "list", status=1).stderr
    Path("mine/unit.toml").write_text(FAMILY.format(x="2"))
    assert run("bank", "list").stdout.splitlines()[1].startswith("unit")


def test_the_gallery_is_a_page_that_needs_nothing_beside_its_folder(run, monkeypatch):
    Path("bank").mkdir()
    Path("bank/one-unit.toml").write_text(FAMILY.format(x=0.3))
    monkeypatch.setenv("QUIZPROP_PROBLEM_BANK", "bank")
    assert run("bank", "gallery", "-o", "gallery").stdout == f"{Path('gallery', 'index.html')}: 1 family\n"
    page = Path("gallery/index.html").read_text(encoding="utf-8")
    assert 'role="region" aria-label="z1' in page
    linked = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert "one-unit.svg" in linked
    assert [name for name in linked if not Path("gallery", name).is_file()] == []


# ------------------------------------------------------------------------------------------------- server and database


def test_serve_listens_where_it_is_told(run, monkeypatch):
    called = []
    monkeypatch.setattr("quizprop.web.serve.serve", lambda *place: called.append(place))
    run("serve")
    run("serve", "--host", "0.0.0.0", "--port", 80)  # noqa: S104
    assert called == [("127.0.0.1", 8000), ("0.0.0.0", 80)]  # noqa: S104


def test_serve_names_every_setting_of_the_readme(run):
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    settings = set(re.findall(r"^\| `(QUIZPROP_\w+)` \|", readme, re.MULTILINE))
    assert settings <= set(re.findall(r"QUIZPROP_\w+", run("serve", "--help").stdout))
    assert "QUIZPROP_LOG" in settings


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(errno.EADDRINUSE, "Address already in use"),
            "Can't listen on 127.0.0.1:80: Address already in use. Another",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/var/practice.db"),
            "/var/practice.db: Permission denied\n",
        ),
        (
            OSError(errno.EADDRNOTAVAIL, "No such address"),
            "Can't listen on 127.0.0.1:80: No such address. Another address: quizprop serve --host 127.0.0.1\n",
        ),
    ],
)
def test_a_server_that_cannot_start_says_why(run, monkeypatch, error, message):
    def fails(*_):
        raise error

    monkeypatch.setattr("quizprop.web.serve.serve", fails)
    assert run("serve", "--port", 80, status=1).stderr.startswith(f"Error: {message}")


@pytest.mark.parametrize("port", [80, 1023, 1024, 8000, 8080, 65534, 65535])
@pytest.mark.parametrize("number", [errno.EADDRINUSE, errno.EACCES])
def test_where_a_port_is_not_to_be_had_one_is_named_that_anybody_may_listen_on(run, monkeypatch, port, number):
    def fails(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("quizprop.web.serve.serve", fails)
    said = run("serve", "--port", port, status=1).stderr
    named = int(re.search(r"Another port: quizprop serve --port (\d+)\n", said)[1])
    assert named != port
    assert 1024 <= named <= 65535, "below, only root may listen"


def test_a_database_is_made_checked_and_copied(run, tmp_path):
    url = f"sqlite:///{tmp_path}/practice.db"
    assert "upgrade it" in run("db", "check", "--database", url, status=1).stderr
    run("db", "upgrade", "--database", url)
    upgraded = run("db", "upgrade", "--database", url).stdout
    assert upgraded == f"{url} is at revision {schema.newest()}.\n"
    assert "as this release wants it" in run("db", "check", "--database", url).stdout
    assert run("db", "backup", "copy.db", "--database", url).stdout == "Wrote copy.db.\n"
    assert "copy.db exists already" in run("db", "backup", "copy.db", "--database", url, status=1).stderr
    nowhere = run("db", "backup", "no/copy.db", "--database", url, status=1).stderr
    assert nowhere == "Error: There is no folder no for the backup; make it first.\n"


def test_the_database_is_the_one_of_the_environment_or_a_file_of_the_user(run, tmp_path, monkeypatch):
    run("db", "upgrade")
    assert list((tmp_path / "data").rglob("*.sqlite"))
    monkeypatch.setenv("QUIZPROP_DATABASE_URL", f"sqlite:///{tmp_path}/named.db")
    run("db", "upgrade")
    assert (tmp_path / "named.db").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///relative.db", "is relative"),
        ("mysql://host/name", "No database of the kind 'mysql'"),
        ("postgresql://nobody@127.0.0.1:1/none", "The database says: connection"),
        ("sqlite:////dev/null/practice.db", "/dev/null"),
    ],
)
@pytest.mark.parametrize("command", ["upgrade", "check"])
def test_a_database_that_cannot_be_used_is_said_in_words(run, command, url, message):
    error = run("db", command, "--database", url, status=1).stderr
    assert error.startswith("Error: ")
    assert message in error


def test_a_file_that_is_no_database_is_said_in_words(run, tmp_path):
    Path("letter.txt").write_text("Dear database, " * 100)
    url = f"sqlite:///{tmp_path}/letter.txt"
    assert "not a database" in run("db", "upgrade", "--database", url, status=1).stderr


def signs_in(url, name, password):
    with closing(open_database(url)) as database, database.read() as session:
        return people.verify_password(people.find_credentials(session, name), password) is not None


def test_a_user_is_added_with_a_password_from_a_pipe_or_a_prompt(run, tmp_path):
    url = f"sqlite:///{tmp_path}/practice.db"
    run("db", "upgrade", "--database", url)
    added = run("user", "add", "Ada", "--password-stdin", "--database", url, input="differential\n")
    assert added.stdout == "Added Ada.\n"
    assert signs_in(url, "ada", "differential")
    prompted = run("user", "add", "Blaise", "--database", url, input="calculating\ncalculating\n")
    assert "calculating" not in prompted.output
    assert signs_in(url, "blaise", "calculating")


def test_a_user_that_cannot_be_added_is_said_in_words(run, tmp_path):
    url = f"sqlite:///{tmp_path}/practice.db"

    def error(name, password):
        words = ("user", "add", name, "--password-stdin", "--database", url)
        return run(*words, input=f"{password}\n", status=1).stderr

    assert "quizprop db upgrade" in error("ada", "differential")
    assert not (tmp_path / "practice.db").exists(), "a typing error makes no database"
    (tmp_path / "practice.db").touch()
    assert "Is it the right database?" in error("ada", "differential")
    run("db", "upgrade", "--database", url)
    assert "A user name has 3 to 100 characters" in error("a", "differential")
    assert "A password has 8 to 1000 characters" in error("ada", "short")
    run("user", "add", "ada", "--password-stdin", "--database", url, input="differential\n")
    assert "is taken" in error("Ada", "differential")


def test_accounts_are_listed_given_another_password_and_deleted(run, tmp_path):
    url = f"sqlite:///{tmp_path}/practice.db"
    run("db", "upgrade", "--database", url)
    for name in ("Blaise", "Ada"):
        run("user", "add", name, "--password-stdin", "--database", url, input="differential\n")
    listed = run("user", "list", "--database", url).stdout.splitlines()
    assert [line.split("  ")[1] for line in listed] == ["Ada", "Blaise"]
    run("user", "set-password", "ada", "--password-stdin", "--database", url, input="analytical\n")
    assert signs_in(url, "ada", "analytical")
    assert "undone" in run("user", "delete", "ada", "--database", url, input="n\n", status=1).output
    assert signs_in(url, "ada", "analytical")
    assert run("user", "delete", "ada", "--yes", "--database", url).stdout == "Deleted ada.\n"
    assert not signs_in(url, "ada", "analytical")
    for command in ("delete", "set-password"):
        assert "quizprop user list" in run("user", command, "ada", "--database", url, status=1).stderr


def test_without_a_terminal_to_type_a_password_at_the_way_out_is_said(run, tmp_path):
    """And no warning of Python's, nor a password that is seen as it is typed."""
    url = f"sqlite:///{tmp_path}/a.sqlite"
    run("db", "upgrade", "--database", url)
    done = subprocess.run(
        [sys.executable, "-c", "from quizprop.cli import main; main()", "user", "add", "ada", "--database", url],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # without the terminal of whoever runs the tests
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("with --password-stdin\n")
    assert "Warning" not in done.stderr
    assert run("user", "list", "--database", url).stdout == ""


def test_a_reset_link_is_printed_alone(run, tmp_path):
    url = f"sqlite:///{tmp_path}/practice.db"
    run("db", "upgrade", "--database", url)
    run("user", "add", "Ada", "--password-stdin", "--database", url, input="differential\n")
    printed = run("user", "reset-link", "ada", "--base", "https://example.org/", "--hours", 2, "--database", url)
    assert re.fullmatch(r"https://example\.org/reset/[\w-]{43}\n", printed.stdout)
    assert "for 2 hours" in printed.stderr
    assert (
        "No user named 'eve'. All of them: quizprop user list"
        in run("user", "reset-link", "eve", "--database", url, status=1).stderr
    )


# -------------------------------------------------------------------------------------------------------- problem sets

HOMEWORK = """
title = "Homework 3"
due = 2099-10-08T23:59:00+02:00
attempts = 3
[[item]]
exercise = "mazur"
points = 2.5
[[item]]
exercise = "chain"
"""


@pytest.fixture
def school(run, monkeypatch, tmp_path):
    """A database with two accounts, and a file of a problem set."""
    monkeypatch.setenv("QUIZPROP_DATABASE_URL", f"sqlite:///{tmp_path}/school.db")
    run("db", "upgrade")
    with closing(open_database(f"sqlite:///{tmp_path}/school.db")) as database, database.write() as session:
        for name in ("Ada", "blaise"):
            people.add_user(session, username=name, password_hash=people.PasswordHash("-"), now=0)
    Path("hw3.toml").write_text(HOMEWORK)


def test_a_problem_set_is_made_given_moved_and_looked_at(run, school):
    made = run("sets", "create", "hw3.toml", "--assign", "ada").stdout.splitlines()
    token = made[0].partition(":")[0].removeprefix("Made ")
    assert made[0].endswith(": Homework 3, 2 items, due 2099-10-08 21:59 UTC.")
    assert made[1] == "Assigned to 1 account."
    assert run("sets", "assign", token, "ADA", "Blaise").stdout == "Homework 3: assigned to 1 more account.\n"
    assert run("sets", "results", "Homework 3").stdout.splitlines()[1:] == [
        "Ada             0/2       0  3.5",
        "blaise          0/2       0  3.5",
    ]
    moved = run("sets", "due", token, "2099-10-09 23:59", "--zone", "Europe/Madrid").stdout
    assert moved == "Homework 3 is due 2099-10-09 21:59 UTC.\n"
    assert "2099-10-09 21:59 UTC" in run("sets", "list").stdout
    assert run("sets", "due", token, "none").stdout == "Homework 3 is due any time.\n"
    Path("hw4.toml").write_text("opens = 2099-10-01T08:00:00Z\n" + HOMEWORK.replace("Homework 3", "Four"))
    run("sets", "create", "hw4.toml")
    (four,) = (line for line in run("sets", "list").stdout.splitlines() if " Four " in line)
    assert "2099-10-01 08:00 UTC" in four
    assert four.endswith(" 3")


def test_a_course_that_nobody_teaches_any_more_is_given_to_somebody(run, school, tmp_path):
    with closing(open_database(f"sqlite:///{tmp_path}/school.db")) as database:
        with database.write() as session:
            ada, blaise = (people.find_credentials(session, name).learner_id for name in ("ada", "blaise"))
            taught = classroom.create_course(session, title="Deep learning", learner_id=ada, now=0)
            classroom.create_course(session, title="Alone", learner_id=ada, now=0)
            classroom.join(session, taught.course.join_code, learner_id=blaise, now=0)
        told = run("user", "delete", "ada", "--yes")
        assert told.stderr.startswith("Nobody else teaches: Deep learning. ")
        assert [line.split()[-2:] for line in run("courses", "list").stdout.splitlines()[1:]] == [
            ["(nobody)", "0"],
            ["(nobody)", "1"],
        ]
        assert run("courses", "teach", "Deep learning", "blaise").stdout == "blaise teaches Deep learning.\n"
        again = run("courses", "teach", taught.course.token, "Blaise").stdout
        assert again == "Blaise teaches Deep learning already.\n"
        assert run("courses", "teach", "Alone", "blaise").stdout == "blaise teaches Alone.\n"
        with database.read() as session:
            seats = classroom.courses_of(session, blaise)
            assert [seat.teaches for seat in seats] == [True, True]
            assert [len(decisions.entries(session, seat)) for seat in seats] == [1, 1]
    assert "No user named 'carl'" in run("courses", "teach", "Alone", "carl", status=1).stderr
    assert "No course has the token or the title 'X'" in run("courses", "teach", "X", "blaise", status=1).stderr
    with closing(open_database(f"sqlite:///{tmp_path}/school.db")) as database, database.write() as session:
        classroom.create_course(session, title="Alone", learner_id=blaise, now=0)
    assert "2 courses have the title 'Alone'" in run("courses", "teach", "Alone", "blaise", status=1).stderr


def test_what_makes_no_problem_set_is_said_in_words_and_nothing_is_made(run, school):
    Path("bad.toml").write_text(HOMEWORK.replace("mazur", "mazzur").replace("attempts = 3", "attempts = 0"))
    error = run("sets", "create", "bad.toml", status=1).stderr
    assert "bad.toml: attempts: " in error
    assert "bad.toml: item.0.exercise: no exercise of the problem bank is named 'mazzur'" in error
    error = run("sets", "create", "hw3.toml", "--assign", "ada", "--assign", "x", "--assign", "carl", status=1).stderr
    assert "No account is named 'x', 'carl'" in error
    assert len(run("sets", "list").stdout.splitlines()) == 1
    assert (
        "short name or the title 'hw3'. All of them: quizprop sets list"
        in run("sets", "results", "hw3", status=1).stderr
    )
    assert "date and a time" in run("sets", "due", "hw3", "soon", status=1).stderr
    for zone in ("Mars/X", "../etc", "", "Europe", "/"):
        error = run("sets", "due", "hw3", "2099-10-09 23:59", "--zone", zone, status=1).stderr
        assert error == f'Error: {zone!r} is no time zone; write a name such as "Europe/Madrid" or "UTC"\n'


RULES = """
late = [{ hours = 24, share = 0.8 }, { hours = 72, share = 0.5 }]
time_limit = 60
fresh_after = 4
feedback = "after due"
hints = false
follow_credit = 0.5
password = "Bernoulli"
networks = "192.0.2.0/24"
same_numbers = true
best_of = { A = 1 }
[[item]]
group = "A"
"""


def test_a_file_may_have_all_rules_of_a_problem_set(run, school):
    Path("exam.toml").write_text(HOMEWORK.replace("[[item]]\n", RULES, 1))
    run("sets", "create", "exam.toml")
    with closing(open_database(os.environ["QUIZPROP_DATABASE_URL"])) as database, database.read() as session:
        stored = sets.find_set(session, "Homework 3")
        items = sets.items_of(session, stored)
    hour = 3_600_000_000
    assert stored.policy == Policy(
        late=((24 * hour, 0.8), (72 * hour, 0.5)),
        time_limit=hour,
        fresh_after=4,
        feedback="after due",
        hint_price=None,
        follow_credit=0.5,
        password="Bernoulli",
        networks="192.0.2.0/24",
        best_of={"A": 1},
    )
    assert (stored.seed is not None, [one.zone for one in items]) == (True, ["A", None])
    for wrong in ("late = [{ hours = 1, share = 0.5 }, { hours = 2, share = 0.9 }]", 'networks = "home"'):
        Path("bad.toml").write_text(HOMEWORK.replace("attempts = 3", wrong))
        assert run("sets", "create", "bad.toml", status=1).stderr.startswith("Error: ")
    assert len(run("sets", "list").stdout.splitlines()) == 2


# ----------------------------------------------------------------------------------------------------- other questions


def test_questions_are_generated_solved_and_graded(run):
    run("generate", "find-slip-logistic", "-n", 2, "--seed", 3, "-o", "slips.jsonl")
    records = [json.loads(line) for line in Path("slips.jsonl").read_text(encoding="utf-8").splitlines()]
    answers = [
        json.dumps({"index": record["index"], "answers": {one["key"]: one["answer"] for one in record["asked"]}})
        for record in records
    ]
    Path("answers.jsonl").write_text("\n".join(answers), encoding="utf-8")
    graded = [json.loads(line) for line in run("grade", "slips.jsonl", "answers.jsonl").stdout.splitlines()]
    assert [one["points"] for one in graded] == [2, 2]
    told = run("solve", "--line", "slips.jsonl:1").stdout
    cell, mistake = records[0]["asked"]
    assert f"{cell['question']} {cell['options'][cell['answer'] - 1]}." in told
    assert f"{mistake['question']} {mistake['options'][mistake['answer'] - 1]}." in told


def test_an_answer_is_folded_by_what_is_seen_of_it(run, terminal):
    """What makes it bold takes no room, and the stars of emphasis are not for a terminal."""
    told = run("solve", "find-slip-mazur").stdout.partition("Answers")[2].splitlines()[2:]
    assert "delta times what comes in along that weight." in told[1]
    terminal(80)
    lines = run("solve", "find-slip-mazur").stdout.partition("Answers")[2].splitlines()[2:]
    assert [click.unstyle(line) for line in lines] == [
        row for line in told for row in layout.folded(line, 80).split("\n")
    ]


def test_a_hint_has_no_stars_but_those_of_a_formula(run):
    assert "times the other input." in run("hint", "circuit-fork", "grad_y").stdout
    assert "w_1*" in run("hint", "which-eta", "eta").stdout


def test_a_bank_shows_what_a_question_asks(run):
    assert "A slip to find in 39 cells" in run("bank", "show", "find-slip-mazur").stdout
    assert "5 values to choose" in run("bank", "show", "choose-delta").stdout
    assert "5 statements about" in run("bank", "show", "true-false-relu").stdout


def test_a_question_has_no_hints(run):
    assert "hints are for sheets to fill in" in run("hint", "choose-delta", "delta2[1]", status=2).stderr


# --- the demo -------------------------------------------------------------------------------------------------------


def test_the_demo_is_a_course_whose_pages_are_full(run):
    told = run("demo", "--students", 6, "--database", f"sqlite:///{Path.cwd()}/demo.db").stdout
    assert "6 students, 6 problem sets" in told
    password = told.split()[-1]
    with closing(open_database(f"sqlite:///{Path.cwd()}/demo.db")) as database:
        with database.read() as session:
            teacher, student = (people.find_credentials(session, name) for name in ("demo-teacher", "demo-006"))
            (seat,) = classroom.courses_of(session, teacher.learner_id)
            book, work = classroom.gradebook(session, seat), list(handed_in.marked_work(session, seat))
            problem_sets = {one.token: one for one in classroom.sets_in(session, seat.course)}
            found = sets.sets_of(session, student.learner_id, time.time_ns() // 1000)
        assert seat.teaches
        assert people.verify_password(student, password)
        assert len(book.students) == 6
        assert len(found) == len(problem_sets)
        verdicts = {mark["verdict"] for one in work for mark in one.marks.values()}
        assert {"correct", "mistake", "follows"} <= verdicts
        assert all(any(book.points(one, column) for one in book.students) for column in book.columns)
    again = run("demo", "--database", f"sqlite:///{Path.cwd()}/demo.db", status=1).stderr
    assert "already" in again
    assert "--database" in again


def test_the_demo_does_all_work_while_its_set_is_open(run):
    run("demo", "--students", 4, "--seed", 3, "--database", f"sqlite:///{Path.cwd()}/demo.db")
    with closing(open_database(f"sqlite:///{Path.cwd()}/demo.db")) as database, database.read() as session:
        rows = session.execute(
            text(
                "SELECT s.created_at, p.opens_at, p.due_at, s.attempt FROM submission s JOIN variant v ON "
                "v.id = s.variant_id JOIN set_item i ON i.id = v.set_item_id JOIN problem_set p ON p.id = i.set_id"
            )
        ).all()
    assert len(rows) > 10
    assert all(opens <= at <= due and at <= time.time_ns() // 1000 and attempt <= 3 for at, opens, due, attempt in rows)
