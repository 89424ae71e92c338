"""A store that is away for a while: what is waited for, by whom, and what is not."""

from __future__ import annotations

import errno
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from robustness.results import StorageError, Store, Unreachable, patiently
from robustness.results.files import retrying
from robustness.study import Study
from robustness.worker import work as worker
from robustness.worker.attempts import trained
from robustness.worker.work import work
from tests.support.stored_folders import Away, Memory, store_in
from tests.support.stored_rows import curve, failed, fill, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(retrying, "time", clock)
    return clock


def away() -> Unreachable:
    return Unreachable("cannot write x: connection refused")


def test_what_is_away_is_tried_again_less_and_less_often(clock: Clock) -> None:
    left = [away()] * 12

    def action() -> str:
        if left:
            raise left.pop()
        return "stored"

    assert patiently(action) == "stored"
    assert len(clock.waits) == 12
    assert clock.waits[0] <= 0.5
    assert max(clock.waits) <= 30
    assert max(clock.waits) >= 15


def test_patience_ends(clock: Clock) -> None:
    def action() -> None:
        raise away()

    with pytest.raises(Unreachable, match=r"cannot write x: connection refused \(tried again for 10 min\)"):
        patiently(action)
    assert 600 <= clock.now < 640


def test_what_waiting_does_not_cure_is_an_error_at_once(clock: Clock) -> None:
    def action() -> None:
        raise StorageError("cannot write x: the disk is full")

    with pytest.raises(StorageError, match="disk is full"):
        patiently(action)
    assert clock.waits == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ESTALE, Unreachable),
        (errno.EIO, Unreachable),
        (errno.ETIMEDOUT, Unreachable),
        (errno.ECONNRESET, Unreachable),
        (errno.ENOSPC, StorageError),
        (errno.EDQUOT, StorageError),
        (errno.EACCES, StorageError),
        (errno.EROFS, StorageError),
    ],
)
def test_errors_of_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(StorageError, match="cannot write") as caught:
        fill(Store(tmp_path), 1)
    assert type(caught.value) is kind


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """A server that answers every request with the same error."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "testing")
    given: dict[str, object] = {}

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = f"<Error><Code>{given['code']}</Code><Message>no</Message></Error>".encode()
            self.send_response(int(str(given["status"])))
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command != "HEAD" else b"")

        do_GET = do_PUT = do_HEAD = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    given["uri"] = f"s3://bucket/x?region=us-east-1&endpoint_override=http://127.0.0.1:{server.server_port}"
    try:
        yield given
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "SlowDown", Unreachable),
        (503, "ServiceUnavailable", Unreachable),
        (500, "InternalError", Unreachable),
        (502, "BadGateway", Unreachable),
        (403, "AccessDenied", StorageError),
        (403, "InvalidAccessKeyId", StorageError),
        (403, "SignatureDoesNotMatch", StorageError),
        (404, "NoSuchBucket", StorageError),
    ],
)
def test_errors_of_an_object_store(answer: dict[str, object], status: int, code: str, kind: type) -> None:
    answer |= {"status": status, "code": code}
    store = Store(str(answer["uri"]))
    with pytest.raises(StorageError, match=r"cannot write bucket/x/curves/one\.parquet") as caught:
        fill(store, 1)
    assert type(caught.value) is kind, caught.value


def test_a_wrong_endpoint_is_away() -> None:
    with pytest.raises(Unreachable, match="connect"):
        fill(Store("s3://k:s@bucket/x?region=us-east-1&endpoint_override=http://127.0.0.1:1"), 1)


@pytest.fixture
def study() -> Study:
    return Study(
        name="t",
        workload={"name": "digits", "epochs": 1, "train_size": 640},
        optimizers=["adams"],
        space={"lr": [1e-3], "weight_decay": [0, 1e-3]},
        seeds=1,
    )


@pytest.mark.slow
def test_a_worker_stores_its_stack_whatever_operation_fails(
    study: Study, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = study.grid()
    result = trained(runs, "cpu", "grid", 0, None, fit=False)
    monkeypatch.setattr(worker, "trained", lambda *_, **__: result)

    def stored(broken: set[int]) -> tuple[Store, Away]:
        monkeypatch.setattr(worker, "seen_parts", {})
        plain = Memory({})
        store_in(plain).write_failed(failed(0) | {"run_id": runs[0].run_id})  # it failed in an earlier sweep
        fill(store_in(plain), 7, part="other")
        folder = Away(plain, away, broken)
        report = work(runs, store_in(folder), sweep_id="s", device="cpu", sampler="grid", retries=0)
        assert report.error is None
        assert [outcome.status for outcome in report.outcomes] == ["completed"] * len(runs)
        return store_in(plain), folder

    expected, folder = stored(set())
    assert folder.count > 10
    for number in range(folder.count):
        store, _ = stored({number})
        assert [e.name for e in store.folder.entries("runs")] == [e.name for e in expected.folder.entries("runs")]
        assert [e.name for e in store.folder.entries("curves")] == [e.name for e in expected.folder.entries("curves")]
        pd.testing.assert_frame_equal(store.runs(), expected.runs())
        pd.testing.assert_frame_equal(store.curves(), expected.curves())
    assert len(clock.waits) == folder.count


def test_a_worker_gives_up_in_the_end(study: Study, clock: Clock) -> None:
    store = store_in(Away(Memory({}), away, set(range(1000))))
    report = work(study.grid(), store, sweep_id="s", device="cpu", sampler="grid", retries=0)
    assert report.error == "cannot write x: connection refused (tried again for 10 min)"


def test_what_was_seen_is_forgotten_where_a_part_could_not_be_read() -> None:
    plain = Memory({})
    fill(store_in(plain), 1)
    fill(store_in(plain), 2, part="two")
    count = Away(plain, away, set())
    store_in(count).done()
    for number in range(count.count):
        store, seen = store_in(Away(plain, away, {number})), set[str]()
        with pytest.raises(Unreachable):
            store.done_since(seen)
        assert store.done_since(seen) == {f"{1:016x}", f"{2:016x}"}
    store.write("three", [row(3)], curve(3))
    assert store.done_since(seen) == {f"{3:016x}"}
