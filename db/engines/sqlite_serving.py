"""One process that serves many requests from one file: group commit, and reads beside the writer.

Statements run on the event loop's own thread inside an open transaction, a savepoint for each batch; only the COMMIT,
which waits for the disk, goes to a thread, and meanwhile the loop parses the next requests. A writer thread of its own
was slower (0.61 against 0.75 of bare SQL at 8 clients): the driver lets go of the interpreter lock at every step, so
the two threads fight for it some 25 times a checkout. Nobody is answered before the outer COMMIT has returned.

A lock held by another process is waited for without blocking the loop; a read that turns out long is stopped and
given to a reader thread; checkpoints have a thread and a connection of their own.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from db.engines.sqlite import (
    TICK_STEPS,
    Connection,
    Thread,
    binding,
    foreign_keys_on,
    mapped,
    open_connection,
    roll_back,
    run,
    run_batch,
    run_read,
    stop_after,
)
from db.engines.trips import CONNECT_SECONDS, Stopwatch, checked
from db.failpoints import failpoint
from db.helper import Busy, DatabaseError, Results, TimedOut, Unavailable, Unknown
from db.sql import Statement

GROUP_MAX: Final = 64
SHORT_READ_STEPS: Final = TICK_STEPS
"""Virtual machine steps that a read may take on the loop's thread; some 1 ms. A list of 100 products needs fewer."""
SHORT_READ_TICKS: Final = 4
"""In how many parts they are counted."""
LOG_PAGES_SOFT: Final = 1_000
"""Above this the checkpointer copies pages back, beside the writer. (A page has 4 KB.)"""
LOG_PAGES_LONG: Final = 4_000
"""Above this the next COMMIT copies the rest of them in its own thread, so that the log begins anew: in a rush the
checkpointer, which copies while others write, never meets a pause in which nothing is left to copy."""
CHECKPOINT_SECONDS: Final = 0.1


class _Waiting(NamedTuple):
    statements: Sequence[Statement]
    answered: asyncio.Future[Results]
    watch: Stopwatch


class SqliteServing:
    """See the module. `live` is the number of requests in work: with one alone, its batch commits in place."""

    engine = "sqlite"

    def __init__(self, path: Path, timeout_ms: int, pool: tuple[int, int]) -> None:
        self.trips = 0
        self.live = 0
        self._path = path
        self._timeout_seconds = timeout_ms / 1000
        self._opened = False
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._ticks_left = 0
        self._log_is_long = False
        self._file: tuple[int, int] | None = None
        self._file_is_gone = False
        self._pool_kept, self._pool_max = pool

    def _open(self) -> None:
        self._writer = open_connection(self._path, busy_seconds=0, any_thread=True)
        self._file, self._file_is_gone = self._identity(), False
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._start_writing = stop_after(self._writer, self._timeout_seconds)
        self._reader = open_connection(self._path, busy_seconds=0, any_thread=True)
        self._reader.set_progress_handler(self._tick, SHORT_READ_STEPS // SHORT_READ_TICKS)
        self._idle = [Thread(self._path, self._timeout_seconds) for _ in range(self._pool_max)]
        self._reading = asyncio.Semaphore(self._pool_max)
        self._commits: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(target=_committer, args=(self._commits,), daemon=True, name="tallystick-commit"),
            threading.Thread(
                target=self._checkpointer, args=(self._closed,), daemon=True, name="tallystick-checkpoint"
            ),
        ]
        for thread in self._threads:
            thread.start()
        self._opened = True

    def _tick(self) -> bool:
        self._ticks_left -= 1
        return self._ticks_left < 0

    async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
        checked(statements, reading=True)
        if not self._opened:
            self._open()
        self._refuse_a_lost_file()
        self.trips += 1
        watch = Stopwatch()
        # SQLite counts the steps of a prepared statement over all its runs: in each run one tick may come early.
        self._ticks_left = SHORT_READ_TICKS + len(statements)
        failed: Exception | None = None
        try:
            try:
                return run_read(self._reader, statements, watch)
            except (TimedOut, Busy):
                return await self._read_long(statements, watch)
        except Exception as error:
            failed = error
            raise
        finally:
            watch.report("read", len(statements), failed)

    async def _read_long(self, statements: Sequence[Statement], watch: Stopwatch) -> Results:
        reading = self._reading
        async with reading:
            if not self._opened or reading is not self._reading:
                return await self.read(*statements)  # closed while it waited: that opens others
            thread = self._idle.pop()
            try:
                return await thread.call(run_read, statements, watch)
            finally:
                # Last in, first out: the open ones are taken first, and what opened in a rush is closed after it.
                if sum(one.is_open for one in self._idle) >= self._pool_kept:
                    self._idle.insert(0, thread)
                    await thread.close()
                else:
                    self._idle.append(thread)

    async def batch(self, statements: Sequence[Statement]) -> Results:
        checked(statements)
        if not self._opened:
            self._open()
        self._refuse_a_lost_file()
        self.trips += 1
        watch = Stopwatch()
        failed: Exception | None = None
        try:
            if self.live <= 1 and not self._waiting and self._writing is None:
                try:
                    self._start_writing()
                    results = run_batch(self._writer, statements, watch)
                    self._bound_log()
                    return results
                except Busy:
                    pass  # another process holds the lock: wait for it below, off the loop
            answered: asyncio.Future[Results] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Waiting(statements, answered, watch))
            if self._writing is None:
                self._writing = asyncio.create_task(self._write())
            return await answered
        except Exception as error:
            failed = error
            raise
        finally:
            watch.report("batch", len(statements), failed)

    async def _write(self) -> None:
        """Commit group after group until nobody waits."""
        group: list[_Waiting] = []
        try:
            while self._waiting:
                try:
                    await self._begin()
                except DatabaseError as error:
                    group, self._waiting = self._waiting, []
                    _settle(group, [error] * len(group))
                    continue
                group = self._next_group()
                results = self._run_group(group)
                if not self._writer.in_transaction:
                    self._undone(group, results)
                elif all(isinstance(result, Exception) for result in results):
                    roll_back(self._writer)
                    _settle(group, results)
                else:
                    failed = await self._commit()
                    _settle(group, [failed or result for result in results])
        except BaseException as error:
            # A defect of ours, or the loop is ended: whoever waits must hear of it, and the lock must go, after the
            # COMMIT that may still be under way in its thread.
            waiting, self._waiting = [*group, *self._waiting], []
            _settle(waiting, [Unknown(repr(error))] * len(waiting))
            committed = threading.Event()
            self._commits.put(committed.set)
            committed.wait(CONNECT_SECONDS)
            roll_back(self._writer)
            raise
        finally:
            self._writing = None

    def _next_group(self) -> list[_Waiting]:
        """Those who wait, in their order, but for who went away meanwhile.

        A batch that defers its foreign keys goes alone: they stay deferred until the COMMIT, for the whole group.
        """
        some = self._waiting[:GROUP_MAX]
        defers = [any(sql.text[:6].upper() == "PRAGMA" for sql, _ in one.statements) for one in some]
        count = (defers.index(True) or 1) if True in defers else len(some)
        self._waiting = self._waiting[count:]
        return [one for one in some[:count] if not one.answered.done()]

    def _undone(self, group: list[_Waiting], results: list[Any]) -> None:
        """SQLite rolled everything back (time-out, full disk): the last one run hears why, the others go again."""
        culprit = len(results) - 1
        roll_back(self._writer)
        _settle([group[culprit]], [results[culprit]])
        self._waiting = [*group[:culprit], *group[culprit + 1 :], *self._waiting]

    async def _begin(self) -> None:
        """BEGIN IMMEDIATE, waiting for another process's lock without blocking the loop. Raises Busy."""
        patience = time.monotonic() + CONNECT_SECONDS
        pause = 0.0005
        while True:
            # Past its deadline even this may be told "interrupted", though it is done.
            self._start_writing()
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                return
            except binding.Error as error:
                failed = mapped(error)
                if not isinstance(failed, Busy) or time.monotonic() > patience:
                    raise failed from error
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, no secret
            pause = min(pause * 2, 0.01)

    def _run_group(self, group: list[_Waiting]) -> list[Any]:
        """A savepoint for each batch, so that a refused one is undone alone: rows or the error of each.

        If the transaction is gone afterwards, the last one's error made SQLite roll back everything.
        """
        execute = self._writer.execute
        results: list[Any] = []
        for one in group:
            self._start_writing()
            if len(group) > 1:
                execute("SAVEPOINT batch")
            try:
                results.append(run(self._writer, one.statements, one.watch))
            except Exception as error:
                # What the driver finds wrong is the batch's own fault, too: the others of the group must not suffer.
                results.append(mapped(error) if isinstance(error, binding.Error) else error)
                if not self._writer.in_transaction:
                    break
                if len(group) > 1:
                    self._start_writing()
                    execute("ROLLBACK TO batch")
            if len(group) > 1:
                execute("RELEASE batch")
                failpoint("group_between_batches")
        return results

    async def _commit(self) -> DatabaseError | None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[DatabaseError | None] = loop.create_future()

        def commit() -> None:
            failed = None
            self._start_writing()
            try:
                failpoint("group_before_commit")
                self._writer.execute("COMMIT")
            except binding.Error as error:
                failed = mapped(error, committing=True)
                roll_back(self._writer)
            else:
                failpoint("group_after_commit")
                self._bound_log()
            with suppress(RuntimeError):  # a loop that was ended meanwhile
                loop.call_soon_threadsafe(_tell, done, failed)

        self._commits.put(commit)
        return await done

    def _bound_log(self) -> None:
        if self._log_is_long:
            self._log_is_long = False
            with suppress(binding.Error):  # what was committed is kept, and the checkpointer will ask again
                self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _checkpointer(self, closed: threading.Event) -> None:
        connection: Connection = None
        while not closed.wait(CHECKPOINT_SECONDS):
            self._file_is_gone = self._identity() != self._file
            if self._file_is_gone:
                continue
            # A full disk or a lock: the next round tries again, and the log keeps everything.
            with suppress(binding.Error, DatabaseError):
                connection = connection or open_connection(self._path)
                _, pages, copied = connection.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
                if pages - copied > LOG_PAGES_SOFT:
                    _, pages, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    # Much that is left to copy is held by somebody's long read: then it is no use to hurry.
                    self._log_is_long = pages > LOG_PAGES_LONG and pages - copied < LOG_PAGES_SOFT
        if connection is not None:
            connection.close()

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _refuse_a_lost_file(self) -> None:
        """Raises Unavailable when the file was removed or replaced: what is written to the old one would be lost."""
        if self._file_is_gone:
            raise Unavailable(f"{self._path} was removed or replaced while in use: start the server again")

    async def health(self) -> bool:
        if not self._opened:
            self._open()
        self._file_is_gone = self._identity() != self._file
        self._refuse_a_lost_file()
        return foreign_keys_on(self._writer) and foreign_keys_on(self._reader)

    async def close(self) -> None:
        """Wait for what is being written, then close every connection (the last one empties the log)."""
        if not self._opened:
            return
        for _ in range(self._pool_max):
            await self._reading.acquire()  # long reads end, at their time-out if not before
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._opened = False
        # From here on a call opens others.
        threads, idle, reading, reader, writer = self._threads, self._idle, self._reading, self._reader, self._writer
        self._closed.set()
        self._commits.put(None)
        for thread in threads:
            await asyncio.to_thread(thread.join)
        for one in idle:
            await one.close()
        reader.close()
        writer.close()
        for _ in range(self._pool_max):
            reading.release()


def _committer(commits: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while work := commits.get():
        work()


def _tell(done: asyncio.Future[Any], failed: DatabaseError | None) -> None:
    if not done.done():
        done.set_result(failed)


def _settle(group: list[_Waiting], results: Sequence[Any]) -> None:
    for one, result in zip(group, results, strict=True):
        if one.answered.done():
            continue
        if isinstance(result, Exception):
            one.answered.set_exception(result)
        else:
            one.answered.set_result(result)
