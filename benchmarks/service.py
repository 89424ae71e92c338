"""The study service with 10 000 runs of 200 epochs: the page, a click, and its memory, with 20 clients and a sweep.

    python -m benchmarks.service [--seconds 60]

A study of 3 optimizers x 33 x 34 cells x 3 seeds lies in 190 parts, of which the last 40 come in while it is measured,
one every second and a half. Twenty clients do what an open page does (the maps every five seconds, asked with their
tag), and each clicks a cell now and then. A real browser opens the page and clicks beside them. The peer of a click
is `pandas.read_parquet` of three runs' curves with a filter, and Plotly's figure of them.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from playwright.sync_api import sync_playwright

from analysis.figures.export import browser as find_browser
from robustness.results import Store, compact
from tests.support import synthetic, synthetic_store
from tests.support.browser import FLAGS
from tests.support.service_browser import pixel

STUDY = (
    synthetic_store.STUDY.replace("name: demo", "name: big")
    .replace("points: 12", "points: 33")
    .replace("points: 11", "points: 33")
)
PARTS, LATER, CLIENTS, EVERY_S = 190, 40, 20, 5.0
CLICKS = 12


def main() -> int:
    """Measure and print a table."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=60.0, help="how long the clients stay")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        later = _made(Path(folder))
        runs = synthetic_store.of_study(STUDY)
        cells = _cells(Path(folder))
        service, address = _started(folder)
        memory = _Memory(service.pid)
        try:
            with sync_playwright() as playwright:
                # As a person's browser, which keeps what it has compiled; each page is a new one to it.
                browser = playwright.chromium.launch_persistent_context(
                    profile,
                    executable_path=find_browser(),
                    args=FLAGS,
                    viewport={"width": 1280, "height": 900},
                )
                quiet = _browsed(browser, address, cells, "quiet")
                with _Clients(address, runs) as clients:
                    sweep = threading.Thread(target=_write, args=(Path(folder), later))
                    sweep.start()
                    busy = _browsed(browser, address, cells, "20 clients and a sweep")
                    time.sleep(options.seconds)
                    sweep.join()
                compact(Store(f"{folder}/big"))
                compacted = _browsed(browser, address, cells, "after compaction")
                browser.close()
        finally:
            service.terminate()
            service.wait()
        for line in [quiet, busy, compacted]:
            print(line)
        print(f"clients: {clients.said()}")
        print(f"memory of the service: {memory.most / 1e6:.0f} MB at most")
        print(f"peer of a click: {_peer(Path(folder), runs):.3f} s")
    return 0


def _made(folder: Path) -> list[pd.DataFrame]:
    """Write the study, and return what is to come."""
    store, runs = Store(folder / "big"), synthetic_store.of_study(STUDY)
    store.write_study(STUDY)
    order = np.random.default_rng(0).permutation(len(runs))
    parts = [runs.iloc[part] for part in np.array_split(order, PARTS)]
    for part in parts[:-LATER]:
        _store(store, part)
    return parts[-LATER:]


def _cells(folder: Path) -> list[tuple[float, float]]:
    """Return cells of Adam that have curves, spread over its map."""
    stored = Store(folder / "big").runs()
    known = stored[(stored["optimizer"] == "adam") & (stored["status"] == "completed") & (stored["weight_decay"] > 0)]
    places = known[["lr", "weight_decay"]].drop_duplicates()
    chosen = places.iloc[np.linspace(0, len(places) - 1, CLICKS).astype(int)]
    return [(float(lr), float(decay)) for lr, decay in chosen.itertuples(index=False)]


def _store(store: Store, rows: pd.DataFrame) -> None:
    now = pd.Timestamp.now("UTC").floor("us")
    rows = rows.assign(finished_at=now)
    curves = synthetic.curves(rows, epochs=200)
    store.write(
        store.part_name(rows["run_id"]),
        rows.astype(object).where(rows.notna(), None).to_dict("records"),
        curves.to_dict("list"),
    )


def _write(folder: Path, parts: list[pd.DataFrame]) -> None:
    for part in parts:
        _store(Store(folder / "big"), part)
        time.sleep(1.5)


def _started(folder: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "robustness.cli", "serve", "--results", folder, "--port", "0"]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    assert service.stdout
    line = service.stdout.readline()
    return service, line.split(": ")[1].strip()


class _Memory(threading.Thread):
    """The greatest resident memory of a process, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process, self.most = psutil.Process(pid), 0
        self.start()

    def run(self) -> None:
        try:
            while True:
                self.most = max(self.most, self._process.memory_info().rss)
                time.sleep(0.1)
        except psutil.NoSuchProcess:
            return


def _browsed(browser: Any, address: str, cells: list[tuple[float, float]], when: str) -> str:
    """Open the page twice, the second time with everything but the study's own answers in the browser, and click."""
    opened = []
    for _ in range(4):
        page = browser.new_page()
        started = time.perf_counter()
        page.goto(f"{address}/study/big")
        page.wait_for_selector("#figure-maps[data-drawn]")
        opened.append(time.perf_counter() - started)
        if len(opened) < 4:
            page.close()
    page.wait_for_selector(".card")
    clicks = []
    for lr, decay in cells:
        x, y = pixel(page, "adam", lr, decay)
        page.evaluate("delete document.getElementById('figure-curves')?.dataset.drawn")
        page.mouse.move(x, y)
        page.wait_for_timeout(300)  # a hand is no faster
        started = time.perf_counter()
        page.mouse.click(x, y)
        page.wait_for_selector("#figure-curves[data-drawn]")
        clicks.append(time.perf_counter() - started)
    page.close()
    return (
        f"{when}: first load {opened[0]:.2f} s, then {statistics.median(opened[1:]):.2f} s; "
        f"click to curves {statistics.median(clicks):.2f} s median, {max(clicks):.2f} s at most"
    )


class _Clients:
    """Open pages without a browser."""

    def __init__(self, address: str, runs: pd.DataFrame) -> None:
        self._address, self._runs = address, runs
        self._stop = threading.Event()
        self.times: dict[str, list[float]] = {"maps": [], "curves": []}
        self._threads = [threading.Thread(target=self._client, args=(seed,)) for seed in range(CLIENTS)]

    def __enter__(self) -> _Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _client(self, seed: int) -> None:
        draw, tag = random.Random(seed), ""
        self._stop.wait(draw.uniform(0, EVERY_S))
        while not self._stop.is_set():
            tag = self._ask("maps", "/study/big/maps", tag)
            run = self._runs.iloc[draw.randrange(len(self._runs))]
            cell = f"{run['optimizer']}~{float(run['lr'])!r}~{float(run['weight_decay'])!r}"
            if draw.random() < 0.3:
                self._ask("curves", f"/study/big/curves?cell={cell}", "")
            self._stop.wait(EVERY_S)

    def _ask(self, kind: str, path: str, tag: str) -> str:
        request = urllib.request.Request(self._address + path, headers={"If-None-Match": tag} if tag else {})
        started = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
                tag = answer.headers["ETag"]
        except urllib.error.HTTPError as error:
            if error.code != 304:
                raise
        self.times[kind].append(time.perf_counter() - started)
        return tag

    def said(self) -> str:
        """Return the medians and the 95 % quantiles of what they waited."""
        return "; ".join(
            f"{kind} {np.median(times):.3f} s median, {np.quantile(times, 0.95):.3f} s 95 % ({len(times)})"
            for kind, times in self.times.items()
        )


def _peer(folder: Path, runs: pd.DataFrame) -> float:
    import plotly.express as px

    wanted = list(runs["run_id"].iloc[:3])
    started = time.perf_counter()
    curves = pd.read_parquet(folder / "big" / "curves", filters=[("run_id", "in", wanted)])
    px.line(curves, x="epoch", y="test_error", color="run_id").to_json()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
