"""Writing many instances: on several processors or machines, in shards, into the format that a file's name says."""

import itertools
import json
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final, Protocol

import click

from quizprop import __version__
from quizprop.cli.exercises import is_device, named, written
from quizprop.cli.finding import exercise_named
from quizprop.cli.layout import bar
from quizprop.exercise.bulk import Chunk, Form, Packing, chunk_of, chunks, header, packed
from quizprop.exercise.certify import plan_of
from quizprop.exercise.record import columns_of
from quizprop.exercise.spec import Exercise

__all__ = ["Job", "generate"]

_AHEAD: Final = 2
"""Chunks per worker that are under way at a time."""

_KEPT: Final = 4
"""The same, with those that wait to be written: memory stays flat however many are wanted."""

_SOON: Final = 10
"""Seconds in which a scheduler answers."""

_FORMS: Final[Mapping[str, Form]] = {"": "jsonl", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "table"}

Calls = Iterable[tuple[str, int, int, Form]]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be written, and how.

    ``shard`` is a part of the records: the number of it, from 1, and of how many.
    """

    exercise: Exercise
    seed: int
    count: int
    output: str
    jobs: int = 1
    shard: tuple[int, int] = (1, 1)
    resume: bool = False
    long: bool = False
    scheduler: str | None = None

    @property
    def first(self) -> int:
        """The index of the first record of the shard."""
        return (self.shard[0] - 1) * self.count // self.shard[1]

    @property
    def stop(self) -> int:
        """The index after that of its last record."""
        return self.shard[0] * self.count // self.shard[1]


class _Writer(Protocol):
    """Takes the records of a chunk: those to leave out at the beginning, and how many at most."""

    def write(self, chunk: Chunk, *, start: int, skip: int, most: int) -> None: ...
    def close(self) -> None: ...


def generate(
    exercise: str,
    *,
    count: int,
    seed: int,
    output: str,
    jobs: int,
    shard: tuple[int, int],
    resume: bool,
    long: bool,
    scheduler: str | None,
) -> None:
    """Write the first ``count`` instances of an exercise and a seed, or a shard of them."""
    job = Job(exercise_named(exercise), seed, count, output, jobs, shard, resume, long, scheduler)
    form, packing = _form_of(job)
    if form != "jsonl" and job.exercise.question != "sheet":
        raise click.UsageError(f"{job.exercise.slug} asks questions, which only JSON Lines hold: name a file .jsonl")
    if resume and (output == "-" or form == "table" or is_device(output)):
        raise click.UsageError("--resume goes on with a file of text: name one, .jsonl or .csv")
    with ExitStack() as stack:
        work = stack.enter_context(_workers(job))
        if form == "table":
            writer: _Writer = stack.enter_context(_parquet(job))
            _write(job, form, writer, work, Progress())
            return
        target = stack.enter_context(_target(job, form, packing))
        _write(job, form, target, work, target.progress)


# --- the loop -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Progress:
    """How far a file is: the next chunk, how many records were certified before it, and how many bytes are written."""

    chunk: int = 0
    records: int = 0
    size: int = 0


def _write(
    job: Job, form: Form, writer: _Writer, work: Callable[[Calls], Iterator[Chunk]] | None, progress: Progress
) -> None:
    with bar(job.stop - job.first, shown=job.output != "-" or not sys.stdout.isatty()) as advance:
        advance(max(0, progress.records - job.first))
        if progress.records >= job.stop:
            return
        made = chunks(job.exercise, seed=job.seed, first=progress.chunk, form=form, work=work)
        for chunk in made:
            start = progress.records
            skip = min(chunk.count, max(0, job.first - start))
            most = min(chunk.count - skip, job.stop - start - skip)
            progress.chunk, progress.records = chunk.number + 1, start + chunk.count
            writer.write(chunk, start=start, skip=skip, most=most)
            advance(most)
            if progress.records >= job.stop:
                return


# --- who works ------------------------------------------------------------------------------------------------------


@contextmanager
def _workers(job: Job) -> Iterator[Callable[[Calls], Iterator[Chunk]] | None]:
    """Workers that make several chunks at a time, and give them in their order; None where it is done here."""
    if job.scheduler is not None:
        with _cluster(job.scheduler) as (client, width):
            yield lambda calls: _in_order(
                calls, lambda call: client.submit(chunk_of, *call, pure=False), width, job.stop
            )
    elif job.jobs == 1:
        yield None
    else:
        with TemporaryDirectory(prefix="quizprop-") as folder:
            others = job.jobs - 1
            pool = ProcessPoolExecutor(others, initializer=_as_worker)
            try:
                yield lambda calls: _in_order(
                    calls, lambda call: _Left(pool.submit(_leave, folder, call)), others, job.stop, here=True
                )
            finally:
                pool.shutdown(cancel_futures=True)


def _leave(folder: str, call: tuple[str, int, int, Form]) -> str:
    """Make a chunk and leave it in a file. Through the pipe of a pool it would take as long as to make it."""
    chunk = chunk_of(*call)
    file = Path(folder, str(chunk.number))
    with file.open("wb") as opened:
        pickle.dump(chunk, opened, protocol=pickle.HIGHEST_PROTOCOL)
    return str(file)


@dataclass(frozen=True, slots=True)
class _Left:
    """A chunk that a worker leaves in a file."""

    file: "Future[str]"

    def done(self) -> bool:
        """Whether it is there."""
        return self.file.done()

    def result(self) -> Chunk:
        """The chunk, as soon as it is there; its file is removed."""
        file = Path(self.file.result())
        with file.open("rb") as opened:
            chunk: Chunk = pickle.load(opened)  # noqa: S301 - written by a process of ours, where nobody else may write
        file.unlink()
        return chunk


def _made(call: tuple[str, int, int, Form]) -> "Future[Chunk]":
    """A chunk made here, as one that others make."""
    made: Future[Chunk] = Future()
    made.set_result(chunk_of(*call))
    return made


def _as_worker() -> None:
    # Ctrl-C goes to all processes of the terminal. A worker that it ends while it holds the lock of the queue would
    # leave the others waiting for ever: who started them ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # its pool ends it so where another worker was killed
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Whoever started this process may be killed: nobody is left then to tell it that there is no more work."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Any, int]]:
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        raise click.ClickException("A Dask cluster needs the extra dask: pip install 'quizprop[dask]'") from error
    try:
        client = distributed.Client(address, timeout=_SOON)
    except ValueError as error:
        raise click.BadParameter(
            f"{address!r} is no address of a Dask scheduler, as in tcp://host:8786: {error}", param_hint="--scheduler"
        ) from error
    except (OSError, TimeoutError) as error:
        raise click.ClickException(f"No Dask scheduler answers at {address}: {error}") from error
    try:
        yield client, max(1, sum(client.nthreads().values()))
    finally:
        client.close()


def _in_order(
    calls: Calls,
    submit: Callable[[tuple[str, int, int, Form]], Any],
    width: int,
    most: int,
    *,
    here: bool = False,
) -> Iterator[Chunk]:
    """The chunks in their order, some worked at ahead: but no more than so many records are likely to need.

    What is begun has to be waited for at the end. ``here`` means that who waits for others makes chunks meanwhile.
    """
    waiting = iter(calls)
    running: deque[Any] = deque()
    done = records = 0
    if here:
        first, *others = itertools.islice(waiting, 1 + width * _AHEAD)
        ahead = [submit(call) for call in others]
        running.extend([_made(first), *ahead])
    while True:
        coming = records / done if done else 0
        while not running or (len(running) < (width + 1) * _KEPT and records + coming * len(running) < most):
            if sum(not chunk.done() for chunk in running) < width * _AHEAD:
                running.append(submit(next(waiting)))
            elif here and not running[0].done():
                running.append(_made(next(waiting)))
            else:
                break
        chunk: Chunk = running.popleft().result()
        done, records = done + 1, records + chunk.count
        yield chunk


# --- where it goes --------------------------------------------------------------------------------------------------


def _form_of(job: Job) -> tuple[Form, Packing]:
    """The format that the name of the file says."""
    name, packing = Path(job.output).name.lower(), ""
    if name.endswith((".gz", ".zst")):
        name, _, packing = name.rpartition(".")
    form = _FORMS.get(name[name.rindex(".") :] if "." in name else "")
    if form is None:
        raise click.UsageError(
            f"{job.output}: generate writes {', '.join(filter(None, _FORMS))}; .gz or .zst after .jsonl or .csv packs "
            "it, and a name without an ending is JSON Lines"
        )
    if form == "table" and packing:
        raise click.UsageError("A .parquet is packed inside: leave the .gz or .zst away")
    if job.long and form != "csv":
        raise click.UsageError("--long is a form of CSV: name a file .csv with -o")
    if packing == "zst":
        _needs("zstandard", "zstd")
    if form == "table":
        _needs("pyarrow", "parquet")
    return ("csv-long" if job.long else form), packing  # type: ignore[return-value]


def _needs(module: str, extra: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise click.ClickException(f"This needs the extra {extra}: pip install 'quizprop[{extra}]'") from error


class _Text:
    """Records as lines, a chunk at a time; with a note of how far it is, where it may be gone on with."""

    def __init__(self, job: Job, form: Form, packing: Packing, file: BinaryIO, note: Path | None) -> None:
        self.progress = Progress()
        self._job, self._form, self._packing, self._file, self._note = job, form, packing, file, note

    def begin(self) -> None:
        """Go on where a note says, or write the head of a new file."""
        if self._note is not None and self._note.exists():
            self.progress = self._noted(self._note)
            self._file.truncate(self.progress.size)
            self._file.seek(self.progress.size)
            return
        if self._note is not None:
            self._file.truncate(0)  # of what stands there without a note nobody knows how far it is
        head = header(self._job.exercise, self._form)
        # Shards are put one after the other: only the first has the head.
        if head and self._job.shard[0] == 1:
            self._put(packed(head + b"\n", self._packing))

    def write(self, chunk: Chunk, *, start: int, skip: int, most: int) -> None:
        """Append some records of a chunk."""
        if most:
            pieces: Iterable[bytes | memoryview] = chunk.lines.numbered(start, skip=skip, most=most)
            if self._packing:  # in one piece, for the bytes depend on it
                pieces = [packed(b"".join(map(bytes, pieces)), self._packing)]
            for piece in pieces:
                self._put(piece)
        if self._note is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._keep()

    def close(self) -> None:
        """Nothing is left to be done."""

    @property
    def _identity(self) -> list[Any]:
        job = self._job  # how it is packed its name says, which the note has too
        return [__version__, job.exercise.model_dump_json(), job.seed, job.count, list(job.shard), self._form]

    def _put(self, data: bytes | memoryview) -> None:
        self.progress.size += self._file.write(data)

    def _noted(self, note: Path) -> Progress:
        """How far a note says that the file is; refused unless the file is that far, and of this run."""
        part = note.with_suffix("")
        try:
            kept = json.loads(note.read_text(encoding="utf-8"))
            of, numbers = kept["of"], [kept[name] for name in ("chunk", "records", "size")]
        except (ValueError, KeyError, TypeError):
            of, numbers = None, []
        if not numbers or not all(type(number) is int and number >= 0 for number in numbers):
            raise click.ClickException(
                f"{note} is damaged and does not say how far {part} is: delete {note} to begin anew"
            )
        if of != self._identity:
            raise click.ClickException(
                f"{note} is of another exercise, seed, count or release: delete it to begin anew"
            )
        progress, there = Progress(*numbers), part.stat().st_size
        if there < progress.size:
            raise click.ClickException(
                f"{part} has {there:,} bytes of the {progress.size:,} that {note} tells of: delete {note} to begin anew"
            )
        return progress

    def _keep(self) -> None:
        note = self._note
        if note is None:
            return
        progress = self.progress
        kept = {"chunk": progress.chunk, "records": progress.records, "size": progress.size, "of": self._identity}
        fresh = note.with_name(note.name + ".new")
        fresh.write_text(json.dumps(kept), encoding="utf-8")
        fresh.replace(note)


@contextmanager
def _target(job: Job, form: Form, packing: Packing) -> Iterator[_Text]:
    """The file to write; it takes its name only when it is complete."""
    if not job.resume:
        with written(job.output) as file:
            text = _Text(job, form, packing, file, None)
            text.begin()
            yield text
        return
    target = Path(job.output).resolve()
    part, note = target.with_name(target.name + ".part"), target.with_name(target.name + ".part.json")
    with named(job.output):
        opened = part.open("r+b" if part.exists() else "w+b")
    with opened as file:
        text = _Text(job, form, packing, file, note)
        text.begin()
        yield text
    part.replace(target)
    note.unlink(missing_ok=True)


@contextmanager
def _parquet(job: Job) -> Iterator[_Writer]:
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    names = columns_of(plan_of(job.exercise)).names
    schema = arrow.schema([("index", arrow.int64()), *((name, arrow.float64()) for name in names)])
    about = {"exercise": job.exercise.slug, "seed": str(job.seed), "spec": job.exercise.model_dump_json()}
    target = Path(job.output).resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")

    class Table:
        def __init__(self) -> None:
            self.file = parquet.ParquetWriter(part, schema.with_metadata(about))

        def write(self, chunk: Chunk, *, start: int, skip: int, most: int) -> None:
            rows = chunk.table[skip : skip + most]
            indices = arrow.array(range(start + skip, start + skip + len(rows)), arrow.int64())
            arrays = [indices, *map(arrow.array, rows.T)]
            if len(rows):
                self.file.write_table(arrow.Table.from_arrays(arrays, schema=self.file.schema))

        def close(self) -> None:
            self.file.close()

    try:
        with named(job.output):
            table = Table()
        yield table
        table.close()
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
