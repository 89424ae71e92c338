"""A sweep whose results are in a bucket: moto's S3 server on loopback, which goes away in the middle of it."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from robustness import Study, load
from robustness.cli import main
from robustness.results import Store, child, compact
from robustness.results.tables.schema import IDENTITY_COLUMNS, OUTCOME_COLUMNS
from robustness.sweep.in_process import run_here
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

STUDY = """
name: small
workload: {name: digits, epochs: 4}
optimizers: [adams, adamw, adam]
space:
  lr: {low: 1e-4, high: 1, points: 4}
  weight_decay: {low: 1e-4, high: 10, points: 3, zero: true}
seeds: 3
resources: {stack_size: 12}
"""
RUNS = 3 * 4 * 4 * 3
STACKS = RUNS // 12
AWAY_S = 12.0
"""Longer than pyarrow itself tries again."""


class Bucket:
    """A bucket on a server that can be stopped: its objects are in this process's memory."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:  # a fixed port, so that it can come back
            self.port: int = free.getsockname()[1]
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self.server.start()
        self.client: Any = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}")
        self.client.create_bucket(Bucket="bucket")
        self.results = f"s3://bucket/results?endpoint_override=http://127.0.0.1:{self.port}"
        self.store = Store(child(self.results, "small"))

    def objects(self, folder: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix=f"results/small/{folder}")
        return [item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]

    def body(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket="bucket", Key=key)["Body"].read()
        return data


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "small.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with pytest.MonkeyPatch.context() as patch:
        keys = {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": "us-east-1"}
        for name, value in keys.items():
            patch.setenv(f"AWS_{name}", value)
        bucket = Bucket()
        try:
            yield bucket
        finally:
            bucket.server.stop()


@pytest.fixture(scope="module")
def swept(study: Path, bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Sweep, with the server away for a while and compactions meanwhile; return what was printed."""
    command = [sys.executable, "-m", "robustness.cli", "run", str(study), "--results", bucket.results, "--no-report"]
    log = tmp_path_factory.mktemp("log") / "out.txt"
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=dict(os.environ))
        try:
            go_on_until(process, log, lambda: len(bucket.objects("runs/")) >= 2)
            bucket.server.stop()
            time.sleep(AWAY_S)
            assert process.poll() is None, log.read_text()
            bucket.server.start()
            at_return = len(bucket.objects("runs/"))
            assert 2 <= at_return < STACKS / 2, "it was away in the middle of the sweep"
            compact(Store(bucket.store.root))
            go_on_until(process, log, lambda: len(bucket.store.done()) > RUNS / 2)
            compact(Store(bucket.store.root))
            assert process.wait(timeout=240) == 0, log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    return log.read_text()


def go_on_until(process: subprocess.Popen[bytes], log: Path, condition: Callable[[], object]) -> None:
    def done() -> object:
        assert process.poll() is None, log.read_text()
        return condition()

    wait_for(done, 120, why=log.read_text)


def outcomes(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[*IDENTITY_COLUMNS, *OUTCOME_COLUMNS]].sort_values("run_id", ignore_index=True)


@pytest.fixture(scope="module")
def local(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same study on this machine, undisturbed."""
    sweep = run_here(Study.load(study), str(tmp_path_factory.mktemp("local")), quiet=True)
    return Store(sweep.root)


def test_the_sweep_waits_and_ends_complete(swept: str, bucket: Bucket, local: Store) -> None:
    assert f"{RUNS} runs trained, 0 failed" in swept
    frame = pd.read_parquet(child(bucket.store.root, "runs").with_keys)
    assert len(frame) == frame["run_id"].nunique() == RUNS
    pd.testing.assert_frame_equal(outcomes(bucket.store.runs()), outcomes(local.runs()))
    pd.testing.assert_frame_equal(bucket.store.curves(), local.curves())


def test_nothing_is_half_there(swept: str, bucket: Bucket) -> None:
    kinds = {key.split("/")[2] for key in bucket.objects()}
    assert {"runs", "curves", "study.yaml", "provenance"} <= kinds
    assert "set-aside" not in kinds
    for key in bucket.objects():
        data = bucket.body(key)
        if key.endswith(".parquet"):
            assert pq.read_table(io.BytesIO(data)).num_columns > 10, key
        elif key.endswith(".json"):
            json.loads(data)
        else:
            assert data.decode() == STUDY
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket="bucket")
    assert len(bucket.objects("runs/")) < STACKS, "the compactions in the middle did something"


def test_a_resume_trains_what_is_missing(swept: str, bucket: Bucket, study: Path, local: Store) -> None:
    assert main(["run", str(study), "--results", bucket.results, "--no-report"]) == 0, (
        "nothing to do: Ray is not started"
    )
    before = bucket.store.done()
    last = min(bucket.objects("runs/"))
    gone = len(pq.read_table(io.BytesIO(bucket.body(last))))
    bucket.client.delete_object(Bucket="bucket", Key=last)
    sweep = run_here(Study.load(study), bucket.results, quiet=True)
    assert sweep.trained == gone > 0
    assert bucket.store.done() == before
    pd.testing.assert_frame_equal(outcomes(bucket.store.runs()), outcomes(local.runs()))


def test_compact_report_and_pull(
    swept: str, bucket: Bucket, local: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, curves = bucket.store.runs(), bucket.store.curves()
    assert main(["compact", "small", "--results", bucket.results]) == 0
    assert "became 1\n" in capsys.readouterr().out
    assert len(bucket.objects("runs/")) == 1
    assert main(["compact", "small", "--results", bucket.results]) == 0
    assert "nothing to do, it has 1 part\n" in capsys.readouterr().out
    assert main(["report", "small", "--results", bucket.results, "--out", str(tmp_path / "report.html")]) == 0
    assert f"{RUNS} runs" in (tmp_path / "report.html").read_text()
    for _ in range(2):
        assert main(["pull", "small", "--results", bucket.results, "--to", str(tmp_path / "here")]) == 0
    copy = load("small", tmp_path / "here")
    for one in (bucket.store, copy.store):
        pd.testing.assert_frame_equal(one.runs(), runs)
        pd.testing.assert_frame_equal(one.curves(), curves)
    assert copy.study_text == STUDY
    assert len(copy.store.read_provenance()) == len(bucket.store.read_provenance()) > 0
    assert len(pd.read_parquet(tmp_path / "here" / "small" / "runs")) == RUNS
