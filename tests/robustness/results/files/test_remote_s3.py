"""The store on an object store: moto's S3 server on the loopback interface."""

from __future__ import annotations

import re
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from robustness.results import ResultsWarning, StorageError, Store, child, list_studies, load
from robustness.results.files.remote import RemoteFolder, open_filesystem
from tests.support.stored_rows import curve, failed, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.server import ThreadedMotoServer

pytest.importorskip("moto.server")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedMotoServer]:
    """A running server with a bucket."""
    from moto.server import ThreadedMotoServer
    from pyarrow import fs

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with socket.create_server(("127.0.0.1", 0)) as free:  # a fixed port, so that it can stop and come back
        port = free.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        fs.S3FileSystem(
            endpoint_override=f"http://127.0.0.1:{port}", region="us-east-1", allow_bucket_creation=True
        ).create_dir("bucket")
        yield server
    finally:
        server.stop()


@pytest.fixture
def results(server: ThreadedMotoServer) -> str:
    """The URI of an empty results root: the server's memory outlives it."""
    host, port = server.get_host_and_port()
    return f"s3://bucket/{uuid.uuid4().hex}?endpoint_override=http://{host}:{port}"


def put(store: Store, path: str, data: bytes) -> None:
    filesystem, root = open_filesystem(store.root)
    with filesystem.open_output_stream(f"{root}/{path}") as stream:
        stream.write(data)


def names(store: Store) -> list[str]:
    from pyarrow import fs

    filesystem, root = open_filesystem(store.root)
    infos = filesystem.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
    return sorted(info.path.removeprefix(f"{root}/") for info in infos if info.is_file)


def test_what_goes_in_comes_out(results: str) -> None:
    store = Store(child(results, "digits"))
    assert not store.exists()
    assert len(store.runs()) == 0
    assert list_studies(results) == []
    store.write("one", [row(1), row(2)], [*curve(1), *curve(2)])
    store.write("one", [row(1), row(2)], [*curve(1), *curve(2)])
    store.write_failed(failed(3))
    store.write_study("name: digits\n")
    store.write_provenance({"host": "laptop"})
    stored = [n for n in names(store) if not n.startswith("provenance/")]
    assert stored == [
        f"curves/failed-{3:016x}.parquet", "curves/one.parquet",
        f"runs/failed-{3:016x}.parquet", "runs/one.parquet", "study.yaml",
    ]  # fmt: skip
    assert store.done() == {f"{1:016x}", f"{2:016x}"}
    store.remove_failed([f"{3:016x}"])
    store.clean()
    assert len(store.runs()) == 2
    loaded = load("digits", results)
    assert loaded.root == store.root
    assert loaded.study_text == "name: digits\n"
    assert len(loaded.curves) == 6
    assert len(load(store.root).runs) == 2
    assert list_studies(results) == ["digits"]
    with pytest.raises(StorageError, match=r"no results of other in s3://bucket/.*stored studies: digits"):
        load("other", results)


def test_a_local_and_a_remote_table_are_the_same(results: str, tmp_path: object) -> None:
    remote, local = Store(child(results, "digits")), Store(f"{tmp_path}/digits")
    for store in (remote, local):
        store.write("one", [row(1), row(2, best_epoch=None)], curve(1))
    pd.testing.assert_frame_equal(remote.runs(), local.runs())
    pd.testing.assert_frame_equal(remote.curves(), local.curves())


def test_pandas_reads_the_folder(results: str) -> None:
    store = Store(child(results, "digits"))
    store.write("one", [row(1)], curve(1))
    assert list(pd.read_parquet(child(store.root, "runs").with_keys)["run_id"]) == [f"{1:016x}"]
    filesystem, root = open_filesystem(store.root)
    assert len(pd.read_parquet(f"{root}/curves", filesystem=filesystem)) == 3


def test_a_torn_object_is_set_aside(results: str) -> None:
    store = Store(child(results, "digits"))
    store.write("one", [row(1)], curve(1))
    put(store, "runs/two.parquet", b"PAR1 torn")
    with pytest.warns(ResultsWarning, match=r"runs/two\.parquet.*torn.*set-aside/runs-two\.parquet") as caught:
        assert len(store.runs()) == 1
    assert len(caught) == 1
    assert names(store) == ["curves/one.parquet", "runs/one.parquet", "set-aside/runs-two.parquet"]
    assert store.done() == {f"{1:016x}"}


def test_an_object_that_goes_between_opening_and_reading_is_not_there(results: str) -> None:
    store = Store(child(results, "study"))
    store.write("part", [row(1)], curve(1))

    class Opened:
        """The filesystem, on which a compaction removes what was opened before it is read."""

        def __init__(self, filesystem: object) -> None:
            self._filesystem = filesystem

        def __getattr__(self, name: str) -> object:
            return getattr(self._filesystem, name)

        def open_input_file(self, path: str) -> object:
            file = self._filesystem.open_input_file(path)  # type: ignore[attr-defined]
            self._filesystem.delete_file(path)  # type: ignore[attr-defined]
            return file

    folder = RemoteFolder(store.root)
    folder.filesystem = Opened(folder.filesystem)
    assert folder.read("runs/part.parquet") is None
    assert len(Store(store.root).runs()) == 0


def test_a_part_is_one_put(results: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A multipart upload would be three requests, and could be left unfinished."""
    from moto.s3 import models
    from pyarrow import fs

    multipart: list[object] = []
    backend = models.S3Backend
    plain = backend.create_multipart_upload

    def count(self: object, *arguments: object, **options: object) -> object:
        multipart.append(arguments)
        return plain(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(backend, "create_multipart_upload", count)
    store = Store(child(results, "digits"))
    store.write("one", [row(n) for n in range(100)], [e for n in range(100) for e in curve(n, 20)])
    assert multipart == []
    assert len(store.runs()) == 100
    filesystem, root = fs.FileSystem.from_uri(store.root.with_keys)
    with filesystem.open_output_stream(f"{root}/x") as stream:  # as pyarrow would do by itself
        stream.write(b"x")
    assert len(multipart) == 1


@pytest.mark.slow
def test_a_large_part_that_fails_half_way_is_not_there(results: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file, which compaction makes, goes in pieces."""
    from moto.s3 import models

    backend, pieces = models.S3Backend, 0
    plain = backend.upload_part

    def fail(self: object, *arguments: object, **options: object) -> object:
        nonlocal pieces
        pieces += 1
        if pieces > 1:
            raise OSError("the server's own disk is full")
        return plain(self, *arguments, **options)  # type: ignore[arg-type]

    store = Store(child(results, "digits"))
    data = bytes(range(256)) * (30 * 2**12)
    with monkeypatch.context() as patch:
        patch.setattr(backend, "upload_part", fail)
        with pytest.raises(StorageError, match="cannot write"):
            store.folder.write("runs/large.parquet", data)
    assert pieces > 1
    assert names(store) == []
    store.folder.write("runs/large.parquet", data)
    assert store.folder.read("runs/large.parquet") == data
    age = store.folder.age("runs/large.parquet")
    assert age is not None
    assert -60 < age < 60
    assert store.folder.age("runs/none.parquet") is None


@pytest.mark.slow
def test_many_parts(results: str) -> None:
    store = Store(child(results, "digits"))
    threads = [
        threading.Thread(target=lambda n=n: Store(store.root).write(f"p{n}", [row(n)], curve(n))) for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.runs()) == len(store.done()) == 12
    assert len(store.curves()) == 36


@pytest.mark.slow
def test_a_server_that_stops_is_a_clear_error_and_may_come_back(results: str, server: ThreadedMotoServer) -> None:
    store = Store(child(results, "digits"))
    store.write("one", [row(1)], curve(1))
    server.stop()
    try:
        for action, call in (
            ("list", store.runs),
            ("list", store.done),
            ("write", lambda: store.write("two", [row(2)], [])),
        ):
            start = time.monotonic()
            with pytest.raises(StorageError) as caught:
                call()
            assert time.monotonic() - start < 60
            assert re.match(rf"cannot {action} bucket/[0-9a-f]+/digits/.*connect", str(caught.value))
    finally:
        server.start()  # its objects are kept in this process's memory
    assert names(store) == ["curves/one.parquet", "runs/one.parquet"]
    store.write("two", [row(2)], curve(2))
    assert len(store.runs()) == 2


def test_a_missing_bucket_is_a_clear_error(results: str) -> None:
    store = Store(child(results.replace("s3://bucket", "s3://no-such-bucket"), "digits"))
    with pytest.raises(StorageError, match=r"cannot write no-such-bucket/.*/digits/.*(NO_SUCH_BUCKET|bucket)"):
        store.write("one", [row(1)], [])
