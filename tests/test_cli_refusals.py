"""What the command line does not take, what is said of it, and that nothing is done or shown by halves."""

import errno
import gzip
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from quizprop.exercise.figures import to_places
from quizprop.exercise.record import read_record

# --- grade ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sheets(run):
    """A file of three sheets, and the cells of each with their answers."""
    run("generate", "deltas", "-n", 3, "-o", "sheets.jsonl")
    instances = [read_record(line).instance for line in Path("sheets.jsonl").read_bytes().splitlines()]
    return [{cell.key: to_places(one.values[cell.key], 4) for cell in one.cells} for one in instances]


def table(sheets):
    keys = list(sheets[0])
    rows = [["index", *keys], *([str(index), *(one[key] for key in keys)] for index, one in enumerate(sheets))]
    return [";".join(row) for row in rows]


def test_a_table_is_one_however_its_ending_is_written(run, sheets):
    Path("answers.CSV").write_text("\n".join(table(sheets)))
    marks = [json.loads(line) for line in run("grade", "sheets.jsonl", "answers.CSV").stdout.splitlines()]
    assert [(one["index"], one["points"]) for one in marks] == [
        (0, len(sheets[0])),
        (1, len(sheets[0])),
        (2, len(sheets[0])),
    ]


def test_of_a_damaged_table_nothing_is_graded(run, sheets):
    lines = table(sheets)
    lines[2] = lines[2].replace(";", ';"', 1)
    Path("answers.csv").write_text("\n".join(lines))
    done = run("grade", "sheets.jsonl", "answers.csv", status=1)
    assert "answers.csv: line 3 is no line of a table" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_that_is_not_in_utf_8_is_told_how_to_be_saved(run, sheets, encoding):
    Path("answers.csv").write_text("index;name\n0;Zoë\n", encoding=encoding)
    done = run("grade", "sheets.jsonl", "answers.csv", status=1)
    assert done.stderr.startswith("Error: answers.csv: is not text in UTF-8; save it so")
    assert not done.stdout


def test_a_row_that_is_too_short_is_told_by_its_line(run, sheets):
    lines = table(sheets)
    lines[2] = lines[2].rpartition(";")[0]
    Path("answers.csv").write_text("\n".join(lines))
    done = run("grade", "sheets.jsonl", "answers.csv", status=1)
    assert done.stderr.startswith(f"answers.csv:3: has {len(sheets[0])} cells")
    assert [json.loads(line)["index"] for line in done.stdout.splitlines()] == [0, 2]


@pytest.mark.parametrize("ending", ["jsonl.gz", "jsonl.zst", "parquet", "CSV"])
def test_sheets_that_are_no_lines_are_refused_in_one(run, sheets, ending):
    Path(f"sheets.{ending}").write_bytes(gzip.compress(Path("sheets.jsonl").read_bytes()))
    done = run("grade", f"sheets.{ending}", "-", input="", status=2)
    assert f"sheets.{ending}: EXERCISES are unpacked JSON Lines" in done.stderr


def test_a_line_of_a_file_takes_no_seed(run, sheets):
    assert "leave --seed out" in run("solve", "--line", "sheets.jsonl:1", "--seed", 0, status=2).stderr


# --- worksheet, reset-link ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a.html", "./a.html", "link.html"])
def test_a_key_never_replaces_its_sheets(run, key):
    Path("link.html").symlink_to("a.html")
    assert (
        "the key would replace the sheets" in run("worksheet", "deltas", "-o", "a.html", "--key", key, status=2).stderr
    )
    assert not Path("a.html").exists()


def test_sheets_do_not_replace_others_where_their_key_cannot_be_written(run):
    Path("a.html").write_text("the sheets of the key that is there")
    done = run("worksheet", "deltas", "-o", "a.html", "--key", "no/key.html", status=1)
    assert "no/key.html: No such file or directory" in done.stderr
    assert [(file.name, file.read_text()) for file in Path().iterdir()] == [
        ("a.html", "the sheets of the key that is there")
    ]


@pytest.mark.parametrize("output", ["own.toml", "./own.toml", "link.xml"])
def test_a_question_bank_never_replaces_its_exercise(run, output):
    shipped = Path(__file__).parents[1].joinpath("problem_bank", "deltas.toml").read_bytes()
    Path("own.toml").write_bytes(shipped)
    Path("link.xml").symlink_to("own.toml")
    assert "would replace its exercise" in run("export", "own.toml", "-o", output, status=2).stderr
    assert Path("own.toml").read_bytes() == shipped


@pytest.mark.parametrize("address", ["foo", "ftp://a.org", "https://", "javascript:alert(1)", "https://a.org/?x=1", ""])
def test_the_address_of_a_site_is_one_that_a_browser_opens(run, address):
    for words in (("worksheet", "deltas", "-o", "a.html", "--url"), ("user", "reset-link", "ada", "--base")):
        refused = run(*words, address, status=2).stderr
        assert f"{address!r} is not the address of a site" in refused
        assert "https://backprop.example.org" in refused
    assert not list(Path().iterdir())


def test_a_link_works_for_a_number_of_hours(run):
    assert "nan is no number of hours" in run("user", "reset-link", "ada", "--hours", "nan", status=2).stderr


# --- where it goes --------------------------------------------------------------------------------------------------


def shell(line):
    """A line of the shell in which $Q is the program."""
    program = f"{shlex.quote(sys.executable)} -c 'from quizprop.cli import main; main()'"
    return subprocess.run(["sh", "-c", line.replace("$Q", program)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["generate mazur", "solve mazur", "bank list", "worksheet deltas -o a.html"])
def test_a_closed_output_is_said_and_what_to_do(run, command):
    done = shell(f"$Q {command} >&-")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Standard output is closed" in done.stderr
    assert shell(f"$Q {command} >/dev/null").returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
@pytest.mark.parametrize("words", ["generate mazur -o /dev/full", "solve mazur >/dev/full"])
def test_a_full_disk_is_said_in_words(run, words):
    done = shell(f"$Q {words}")
    assert (done.returncode, done.stderr) == (1, f"Error: {os.strerror(errno.ENOSPC)}\n")


def test_a_pipe_may_have_the_name_of_a_device(run):
    assert shell("$Q generate mazur -n 2 -o /dev/stdout | wc -l").stdout.split() == ["2"]


@pytest.mark.parametrize("host", ["999.1.1.1", "a b", "x" * 70, "..."])
def test_a_host_that_is_no_address_is_told_before_anything_is_made(run, host):
    refused = run("serve", "--host", host, status=2).stderr
    assert f"Invalid value for --host: {host!r} is no address" in refused
    assert not list(Path().iterdir())


# --- bank -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [20, 40, 60, 80])
def test_the_name_of_an_exercise_is_never_cut(run, terminal, columns):
    names = [line.split()[0] for line in run("bank", "list").stdout.splitlines()]
    terminal(columns)
    lines = click.unstyle(run("bank", "list").stdout).splitlines()
    assert max(map(len, lines)) <= columns
    assert not [line for line in lines if "…" in line]
    if columns >= max(map(len, names)):
        assert [line.split()[0] for line in lines if line and line[0] != " "] == names
