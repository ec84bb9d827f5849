"""The commands for many instances: the same bytes by jobs, shards, a killed and resumed run, and a Dask cluster."""

import csv
import gc
import gzip
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet
import pytest
import zstandard
from click.testing import CliRunner

from quizprop.cli import bulk, layout, main
from quizprop.exercise.bulk import Chunk, chunks
from tests.conftest import missing

ARGUMENTS = ("generate", "mazur-like", "--seed", "3")
PROGRAM = (sys.executable, "-c", "from quizprop.cli import main; main()")


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


def bytes_of(*arguments):
    done = run(*arguments)
    assert done.exit_code == 0, done.stderr
    return done.stdout_bytes


@pytest.fixture(scope="module")
def whole():
    return bytes_of(*ARGUMENTS, "-n", 4000)


def test_jobs_and_shards_give_the_bytes_of_the_whole(whole, tmp_path):
    bytes_of(*ARGUMENTS, "-n", 4000, "-j", 2, "-o", tmp_path / "jobs.jsonl")
    assert (tmp_path / "jobs.jsonl").read_bytes() == whole
    assert b"".join(bytes_of(*ARGUMENTS, "-n", 4000, "--shard", f"{part}/3") for part in (1, 2, 3)) == whole


def test_shards_of_a_table_have_one_head(tmp_path):
    table = bytes_of("generate", "softmax", "-n", 20, "-o", "-")
    assert table.count(b"\n") == 20
    parts = []
    for part in (1, 2):
        bytes_of("generate", "softmax", "-n", 20, "--shard", f"{part}/2", "-o", tmp_path / "a.csv")
        parts.append((tmp_path / "a.csv").read_bytes())
    assert b"".join(parts).count(b"exercise,seed,index") == 1
    assert b"".join(parts).count(b"\n") == 21


def test_a_name_says_the_format(whole, tmp_path):
    for ending in ("jsonl.gz", "jsonl.zst", "parquet", "csv.gz"):
        bytes_of(*ARGUMENTS, "-n", 4000, "-o", tmp_path / f"a.{ending}")
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == whole
    with (tmp_path / "a.jsonl.zst").open("rb") as packed:
        assert zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read() == whole
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    lines = [json.loads(line) for line in whole.splitlines()]
    assert table["index"].to_pylist() == [line["index"] for line in lines] == list(range(4000))
    assert table["E"].to_pylist() == [
        next(one["answer"] for one in line["asked"] if one["key"] == "E") for line in lines
    ]
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).count(b"\n") == 4001


@pytest.mark.parametrize("options", [(), ("--decimal-comma",)])
def test_numbers_in_answers_are_numbers_whatever_the_decimal_mark(tmp_path, options):
    sheets, lines = tmp_path / "sheets.jsonl", tmp_path / "answers.jsonl"
    bytes_of("generate", "deltas", "-n", 1, "-o", sheets)
    answers = {one["key"]: at + 1.234 for at, one in enumerate(json.loads(sheets.read_text())["asked"])}
    lines.write_text(json.dumps({"index": 0, "answers": answers}))
    marks = json.loads(bytes_of("grade", sheets, lines, *options))["marks"]
    assert {key: mark["read"] for key, mark in marks.items()} == answers


@pytest.mark.parametrize("ending", ["jsonl", "csv.gz"])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, ending):
    target = tmp_path / f"a.{ending}"
    arguments = (*ARGUMENTS, "-n", "60000", "--resume", "-o", str(target))
    note = tmp_path / f"a.{ending}.part.json"
    for wanted in (1, 2):
        with subprocess.Popen([*PROGRAM, *arguments], env=dict(os.environ)) as process:
            until = time.monotonic() + 60
            while time.monotonic() < until and not (note.exists() and chunk_of(note) >= wanted):
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
    assert not target.exists()
    with (tmp_path / f"a.{ending}.part").open("ab") as file:
        file.write(b"half a li")
    bytes_of(*arguments)
    bytes_of(*ARGUMENTS, "-n", 60000, "-o", tmp_path / f"b.{ending}")
    assert target.read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"a.{ending}", f"b.{ending}"]


def chunk_of(note):
    try:
        return json.loads(note.read_text())["chunk"]
    except (ValueError, FileNotFoundError):
        return 0


def test_an_interrupt_of_all_processes_ends_several_jobs_at_once_as_it_ends_one(tmp_path):
    program = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {PROGRAM[-1]}"
    command = [*PROGRAM[:-1], program, *ARGUMENTS, "-n", "10000000", "-j", "2", "-o", str(tmp_path / "a.jsonl")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not any(part.stat().st_size for part in tmp_path.iterdir()):
                time.sleep(0.01)
            for _ in range(20):  # whatever a worker is at, an interrupt of it alone changes nothing
                for worker in workers_of(process.pid):
                    os.kill(worker, signal.SIGINT)
                time.sleep(0.01)
            assert process.poll() is None
            os.killpg(process.pid, signal.SIGINT)
            assert process.communicate(timeout=30) == (None, "\nAborted!\n")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="nobody sends these signals there")
@pytest.mark.parametrize(
    ("name", "options", "number"),
    [
        ("a.jsonl", (), signal.SIGTERM),
        ("a.jsonl", (), signal.SIGHUP),
        ("a.csv.gz", ("-j", "2"), signal.SIGTERM),
        ("a.parquet", (), signal.SIGTERM),
    ],
)
def test_a_run_that_is_told_to_end_takes_its_unfinished_files_away(tmp_path, tmp_path_factory, name, options, number):
    program = f"import signal; signal.signal({int(number)}, signal.SIG_DFL); {PROGRAM[-1]}"
    command = [*PROGRAM[:-1], program, *ARGUMENTS, "-n", "10000000", *options, "-o", str(tmp_path / name)]
    between = tmp_path_factory.mktemp("between")  # where its processes leave chunks for each other
    environment = {**os.environ, "TMPDIR": str(between)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, env=environment) as process:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not any(part.stat().st_size for part in tmp_path.iterdir()):
                time.sleep(0.01)
            assert list(tmp_path.iterdir())
            process.send_signal(number)
            assert process.communicate(timeout=30) == (None, b"")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 128 + number
    assert not [*tmp_path.iterdir(), *between.iterdir()]


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path):
    command = [*PROGRAM, *ARGUMENTS, "-n", "10000000", "-j", "3", "-o", str(tmp_path / "a.jsonl")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not any(part.stat().st_size for part in tmp_path.iterdir()):
                time.sleep(0.01)
            process.kill()
            assert process.communicate(timeout=30) == (None, b"")  # it ends when nobody holds it any more
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def workers_of(process):
    """The processes that a process has started; none where the system does not tell."""
    children = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []


def test_a_note_of_another_run_is_not_gone_on_with(tmp_path):
    target = tmp_path / "a.jsonl"
    (tmp_path / "a.jsonl.part").write_bytes(b"")
    note = {"chunk": 1, "records": 5, "size": 0, "of": ["another"]}
    (tmp_path / "a.jsonl.part.json").write_text(json.dumps(note))
    done = run(*ARGUMENTS, "-n", 5, "--resume", "-o", target)
    assert (done.exit_code, "of another exercise, seed, count or release" in done.stderr) == (1, True)


def test_without_its_note_a_part_is_written_anew(tmp_path):
    part = tmp_path / "a.jsonl.part"
    part.write_bytes(b"what an older run left behind, and longer than what comes now\n" * 1000)
    bytes_of(*ARGUMENTS, "-n", 5, "--resume", "-o", tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == bytes_of(*ARGUMENTS, "-n", 5)


@pytest.mark.parametrize("left", ["{", "{}", "[]", "7", '{"of": [], "chunk": 1, "records": 5, "size": "all"}', "short"])
def test_a_note_that_does_not_fit_its_part_is_refused_and_deleting_it_is_the_way_out(tmp_path, monkeypatch, left):
    target, note = tmp_path / "a.jsonl", tmp_path / "a.jsonl.part.json"
    arguments = (*ARGUMENTS, "-n", 5, "--resume", "-o", target)
    with monkeypatch.context() as patch:  # a run that ends just before the file takes its name
        patch.setattr("quizprop.cli.bulk.Path.replace", replaced_unless_done)
        assert run(*arguments).exit_code == 1
    if left == "short":
        (tmp_path / "a.jsonl.part").unlink()
    else:
        note.write_text(left)
    done = run(*arguments)
    assert (done.exit_code, done.stderr.count(str(note)), f"{tmp_path / 'a.jsonl.part'} " in done.stderr) == (
        1,
        2,
        True,
    )
    assert "delete" in done.stderr
    assert not target.exists()
    note.unlink()
    bytes_of(*arguments)
    assert target.read_bytes() == bytes_of(*ARGUMENTS, "-n", 5)


def replaced_unless_done(self, target, replace=Path.replace):
    if target.suffix in {".jsonl", ".csv"}:
        raise KeyboardInterrupt
    replace(self, target)


@pytest.mark.parametrize(
    "other",
    [
        ("softmax", "--seed", 3, "-n", 5),
        ("mazur-like", "--seed", 4, "-n", 5),
        ("mazur-like", "--seed", 3, "-n", 6),
        ("mazur-like", "--seed", 3, "-n", 5, "--shard", "1/2"),
        ("mazur-like", "--seed", 3, "-n", 5, "--long"),
        "release",
    ],
)
def test_a_run_is_gone_on_with_as_it_was_begun_and_not_as_another(tmp_path, monkeypatch, other):
    begun, output = ("mazur-like", "--seed", 3, "-n", 5), ("--resume", "-o", tmp_path / "a.csv")
    with monkeypatch.context() as patch:
        patch.setattr("quizprop.cli.bulk.Path.replace", replaced_unless_done)
        assert run("generate", *begun, *output).exit_code == 1
    with monkeypatch.context() as patch:
        if other == "release":
            patch.setattr("quizprop.cli.bulk.__version__", "0.0")
        done = run("generate", *(begun if other == "release" else other), *output)
    assert (done.exit_code, "of another exercise, seed, count or release" in done.stderr) == (1, True)
    with (tmp_path / "a.csv.part").open("ab") as part:
        part.write(b"of what the note does not tell, nothing is kept\n" * 1000)
    bytes_of("generate", *begun, *output)
    bytes_of("generate", *begun, "-o", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def test_a_note_of_less_than_nothing_is_damaged(tmp_path, monkeypatch):
    arguments = (*ARGUMENTS, "-n", 5, "--resume", "-o", tmp_path / "a.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr("quizprop.cli.bulk.Path.replace", replaced_unless_done)
        run(*arguments)
    note = tmp_path / "a.jsonl.part.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"size": -1}))
    assert "is damaged and does not say how far" in run(*arguments).stderr


def test_a_part_that_is_too_short_is_told_with_both_sizes(tmp_path, monkeypatch):
    arguments = (*ARGUMENTS, "-n", 5, "--resume", "-o", tmp_path / "a.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr("quizprop.cli.bulk.Path.replace", replaced_unless_done)
        run(*arguments)
    part = tmp_path / "a.jsonl.part"
    size = part.stat().st_size
    os.truncate(part, 7)
    assert f"has 7 bytes of the {size:,} that" in run(*arguments).stderr


def test_shards_of_a_table_are_the_whole_and_tell_of_what(tmp_path):
    def table(name, *options):
        bytes_of("generate", "softmax", "--seed", 3, "-n", 50, *options, "-o", tmp_path / name)
        return pyarrow.parquet.read_table(tmp_path / name)

    whole, parts = table("a.parquet"), [table("b.parquet", "--shard", f"{part}/3") for part in (1, 2, 3)]
    assert [row for part in parts for row in part.to_pylist()] == whole.to_pylist()
    assert [part.num_rows for part in parts] == [16, 17, 17]
    about = whole.schema.metadata
    assert (about[b"exercise"], about[b"seed"]) == (b"softmax", b"3")
    assert json.loads(about[b"spec"])["slug"] == "softmax"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_a_table_that_breaks_off_leaves_what_was_there(run, monkeypatch):
    def breaks_off(*arguments, **options):
        yield next(chunks(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(bulk, "chunks", breaks_off)
    Path("a.parquet").write_text("old")
    run("generate", "softmax", "-n", 1_000_000, "-o", "a.parquet", status=1)
    assert [(path.name, path.read_text()) for path in Path().iterdir()] == [("a.parquet", "old")]


def test_both_tables_of_a_sheet_that_is_shown_in_part_are_read_by_others_and_say_the_same(tmp_path):
    for ending in ("csv", "parquet"):
        bytes_of("generate", "faded-mazur", "-o", tmp_path / f"a.{ending}")
    (row,) = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    (same,) = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert {name: float(row[name]) for name in same} == same


@pytest.mark.parametrize(
    ("name", "module", "extra"), [("a.jsonl.zst", "zstandard", "zstd"), ("a.parquet", "pyarrow", "parquet")]
)
def test_a_format_that_needs_an_extra_says_which_before_anything_is_made(tmp_path, monkeypatch, name, module, extra):
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    done = run(*ARGUMENTS, "-o", tmp_path / name)
    assert (done.exit_code, done.stderr) == (
        1,
        f"Error: This needs the extra {extra}: pip install 'quizprop[{extra}]'\n",
    )
    assert not list(tmp_path.iterdir())


def test_several_work_ahead_but_begin_nothing_that_is_not_needed():
    begun, under_way = [], []

    def submit(call):
        begun.append(call)
        under_way.append(len(begun) - len(given))
        return SimpleNamespace(done=lambda: False, result=lambda: Chunk(call, np.zeros((100, 1)), {}))

    given = []
    for chunk in bulk._in_order(itertools.count(), submit, 2, 10_000):
        given.append(chunk.number)
        if len(given) == 100:
            break
    assert given == begun == list(range(100))
    assert 2 < max(under_way) <= 5


@pytest.mark.parametrize("ready", [False, True])
def test_who_would_have_to_wait_for_others_makes_chunks_meanwhile(monkeypatch, ready):
    made_here, submitted = [], []

    def chunk(number):
        return Chunk(number, np.zeros((100, 1)), {})

    def submit(call):
        submitted.append(*call)
        return SimpleNamespace(done=lambda: ready, result=lambda: chunk(*call))

    monkeypatch.setattr(bulk, "chunk_of", lambda number: made_here.append(number) or chunk(number))
    calls = zip(itertools.count(), strict=False)
    chunks = bulk._in_order(calls, submit, 2, 10_000, here=True)
    assert [one.number for one in itertools.islice(chunks, 100)] == list(range(100))
    assert sorted(made_here + submitted) == list(range(100))
    assert made_here == [0] if ready else len(made_here) > 30


def test_a_bar_counts_the_records_of_a_shard(run, terminal, monkeypatch):
    terminal(60)
    monkeypatch.setattr(layout, "_PATIENCE", 0)
    told = run("generate", "mazur", "-n", 9000, "--shard", "2/3", "-o", "a.jsonl").stderr
    assert "3,000 of 3,000" in told


def test_a_bar_of_a_run_that_is_gone_on_with_counts_what_is_there(run, terminal, monkeypatch):
    def breaks_off(*arguments, **options):
        yield next(chunks(*arguments, **options))
        raise KeyboardInterrupt

    arguments = ("generate", "mazur", "-n", 7000, "--resume", "-o", "a.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "chunks", breaks_off)
        run(*arguments, status=1)
    assert 0 < Path("a.jsonl.part").read_bytes().count(b"\n") < 7000
    terminal(60)
    monkeypatch.setattr(layout, "_PATIENCE", 0)
    assert "7,000 of 7,000" in run(*arguments).stderr


def test_a_bar_shows_where_the_lines_go_to_a_file_or_another_program(run, terminal, monkeypatch):
    terminal(60)
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda stream: stream.name == "<stderr>")
    monkeypatch.setattr(layout, "_PATIENCE", 0)
    assert "3,000 of 3,000" in run("generate", "mazur", "-n", 3000).stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--shard", "0/3"), "as in 2/5"),
        (("--shard", "x/3"), "as in 2/5"),
        (("--shard", "4/3"), "as in 2/5"),
        (("--shard", "half"), "as in 2/5"),
        (("--resume",), "name one"),
        (("-o", "a.parquet.gz"), "packed inside"),
        (("-o", "a.bz2"), "writes .jsonl, .csv, .parquet"),
        (("-o", "a.csv.xlsx"), "a name without an ending is JSON Lines"),
        (("-o", "a.csv.gz.zst"), "writes .jsonl, .csv, .parquet"),
        (("--long",), "name a file .csv"),
        (("--long", "-o", "a.jsonl"), "name a file .csv"),
        (("--long", "-o", "a.parquet"), "name a file .csv"),
        (("-o", "a.parquet", "--resume"), "goes on with a file of text"),
        (("-o", "nowhere/a.jsonl"), "Error: nowhere/a.jsonl: No such file or directory\n"),
        (("-o", "nowhere/a.jsonl", "--resume"), "Error: nowhere/a.jsonl: No such file or directory\n"),
        (("-o", "nowhere/a.parquet"), "Error: nowhere/a.parquet: No such file or directory\n"),
        (("--scheduler", "foo"), "as in tcp://host:8786"),
        (("--scheduler", "http://127.0.0.1:1"), "as in tcp://host:8786"),
        (("--scheduler", "tcp://127.0.0.1:1"), "No Dask scheduler answers"),
    ],
)
def test_what_can_t_be_asked_is_said(tmp_path, monkeypatch, arguments, problem):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("quizprop.cli.bulk._SOON", 1)
    done = run(*ARGUMENTS, "-n", 3, *arguments)
    assert done.exit_code != 0
    assert problem in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "lower"), [("A.CSV", "a.csv"), ("a.csv.GZ", "b.csv.gz"), ("a.JSONL", "a"), ("A.Gz", "a.gz")]
)
def test_an_ending_counts_however_it_is_written(tmp_path, name, lower):
    for one in (name, lower):
        bytes_of(*ARGUMENTS, "-n", 3, "-o", tmp_path / one)
    assert (tmp_path / name).read_bytes() == (tmp_path / lower).read_bytes()


def test_a_pipe_is_not_gone_on_with_and_stays_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # none of the system's: it is lost if this fails
    done = run(*ARGUMENTS, "-n", 3, "--resume", "-o", tmp_path / "pipe")
    assert (done.exit_code, "goes on with a file of text" in done.stderr) == (2, True)
    assert [one.is_fifo() for one in tmp_path.iterdir()] == [True]


def test_questions_are_no_table():
    done = run("generate", "true-false-relu", "-o", "a.csv")
    assert (done.exit_code, "only JSON Lines hold" in done.stderr) == (2, True)


def local_cluster():
    from distributed import LocalCluster

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with suppress(AssertionError):  # its loop has ten seconds to start, however busy the machine is
        return LocalCluster(**options)
    gc.collect()  # what did not start is told of here, and not in the middle of another test
    return LocalCluster(**options)


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_bytes(whole):
    with local_cluster() as cluster:
        assert bytes_of(*ARGUMENTS, "-n", 4000, "--scheduler", cluster.scheduler_address) == whole


def test_sheets_and_banks_are_written(tmp_path):
    for form, ending in (("moodle", "xml"), ("qti12", "zip"), ("qti21", "zip"), ("qti3", "zip"), ("gift", "gift")):
        bytes_of("export", "deltas", "--format", form, "-n", 2, "-o", tmp_path / f"a.{ending}")
        assert (tmp_path / f"a.{ending}").stat().st_size > 500
    done = run("worksheet", "deltas", "-n", 2, "-o", tmp_path / "s.pdf", "--key", tmp_path / "k.html")
    assert (done.exit_code, "deltas.0.1 to deltas.0.2" in done.stderr) == (0, True)
    alone = run("worksheet", "deltas", "-o", tmp_path / "one.HTML")
    assert alone.stderr == "1 sheet, deltas.0.1\n"
    assert (tmp_path / "one.HTML").read_text().startswith("<!doctype html>")
    assert (tmp_path / "s.pdf").read_bytes().startswith(b"%PDF")
    assert "deltas.0.2" in (tmp_path / "k.html").read_text()
    assert "a .pdf, or an .html" in run("worksheet", "deltas", "-o", "sheets.doc").stderr


@pytest.fixture
def asked_of(tmp_path):
    """Two sheets as lines: what each asks for, the answer as it is printed by the cell."""
    bytes_of("generate", "deltas", "-n", 2, "--seed", 7, "-o", tmp_path / "lines.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_bytes().splitlines()]
    return [{one["key"]: f"{abs(one['answer']):.4f}".rstrip("0") for one in line["asked"]} for line in lines]


def test_sheets_and_key_have_the_numbers_of_their_seed_the_names_wanted_and_an_address(asked_of, tmp_path):
    options = ("--seed", 7, "--url", "https://a.org/x/", "--notation", "mazur")
    bytes_of("worksheet", "deltas", "-n", 2, *options, "-o", tmp_path / "s.html", "--key", tmp_path / "k.html")
    sheets, key = ((tmp_path / name).read_text() for name in ("s.html", "k.html"))
    for page in (sheets, key):
        assert "<title>Deltas only</title>" in page
        assert re.findall(r">(https://a\.org[^<]*)<", page) == [f"https://a.org/x/w/deltas.7.{n}" for n in (1, 2)]
        assert "target</mtext>" in page
    answers = {answer for line in asked_of for answer in line.values()}
    assert all(f">{answer}</mn>" in key for answer in answers)
    assert not any(f">{answer}</mn>" in sheets for answer in answers)


@pytest.mark.parametrize(("paper", "width", "height"), [("a4", 595, 841), ("letter", 612, 792)])
def test_a_pdf_has_the_size_of_the_paper_the_names_wanted_and_only_the_key_the_answers(
    asked_of, tmp_path, paper, width, height
):
    if shutil.which("pdftotext") is None:
        missing("pdftotext", "apt-get install poppler-utils")
    options = (
        "--seed",
        7,
        "--notation",
        "mazur",
        "--paper",
        paper,
        "-o",
        tmp_path / "s.pdf",
        "--key",
        tmp_path / "k.PDF",
    )
    bytes_of("worksheet", "deltas", *options)
    for name, has_answers in (("s.pdf", False), ("k.PDF", True)):
        size = re.search(rb"/MediaBox\s*\[0 0 (\d+)[.\d]* (\d+)", (tmp_path / name).read_bytes())
        assert tuple(map(int, size.groups())) == (width, height)
        words = subprocess.run(["pdftotext", tmp_path / name, "-"], capture_output=True, text=True, check=True).stdout
        assert "deltas.7.1" in words
        assert "target" in words
        assert all((answer in words) is has_answers for answer in asked_of[0].values())


@pytest.mark.parametrize("form", ["moodle", "qti12", "qti21", "qti3", "gift"])
def test_a_question_bank_has_the_variants_of_its_seed_and_the_names_wanted(asked_of, tmp_path, form):
    file = tmp_path / "bank"
    bytes_of("export", "deltas", "--format", form, "-n", 2, "--seed", 7, "--notation", "mazur", "-o", file)
    texts = [file.read_bytes()]
    if form.startswith("qti"):
        with zipfile.ZipFile(file) as package:
            texts = [package.read(name) for name in package.namelist()]
    bank = b"".join(texts).decode()
    assert "Deltas only" in bank
    assert re.search(r"target(\\?\}|</)", bank), "a symbol of this notation"
    numbers = {f"{float(number):.4f}".rstrip("0") for number in re.findall(r"\d+\.\d+(?:e-\d+)?", bank)}
    for number, line in enumerate(asked_of, start=1):
        assert f"deltas.7.{number}" in bank
        assert numbers.issuperset(line.values())
    assert "deltas.7.3" not in bank


def test_a_package_is_not_written_to_a_terminal_and_text_is(run, terminal):
    terminal(80)
    for form in ("qti12", "qti21", "qti3"):
        assert "name a file with -o" in run("export", "deltas", "--format", form, status=2).stderr
    for form in ("moodle", "gift"):
        assert "deltas.0.1" in run("export", "deltas", "--format", form).stdout


def test_every_file_of_sheets_is_one_that_can_be_printed(run):
    refused = run("worksheet", "deltas", "-o", "sheets.HTML", "--key", "key.doc", status=2).stderr
    assert "key.doc: sheets are a .pdf, or an .html" in refused
    assert not list(Path().iterdir())


def test_the_codes_of_many_sheets_are_told_by_the_first_and_the_last(run):
    done = run("worksheet", "deltas", "-n", 3, "-o", "a.html")
    assert (done.stdout, done.stderr) == ("", "3 sheets, deltas.0.1 to deltas.0.3\n")
