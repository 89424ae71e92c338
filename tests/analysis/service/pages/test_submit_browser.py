"""The page Submit in a real browser: checked as it is typed, by keyboard too, and jobs followed and stopped."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from analysis.service.app import make
from analysis.service.cluster import ray_jobs
from robustness.jobs.job import Job
from tests.support.browser import find_chromium, open_browser  # noqa: F401
from tests.support.service_submit import STUDY, WRONG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=alert(1)>"


class Canned:
    """A cluster with one job, whose study has markup for a name."""

    def __init__(self) -> None:
        self.stopped: list[str] = []

    def jobs(self) -> list[Job]:
        status = "STOPPED" if self.stopped else "RUNNING"
        ended = time.time() if self.stopped else None
        return [Job("job-1", EVIL, "v", "/r", status, "", time.time() - 90, ended, None)]

    def log(self, job_id: str) -> str:
        return f"{EVIL} of {job_id}\n"

    def stop(self, job_id: str) -> None:
        self.stopped.append(job_id)


@pytest.fixture(scope="module")
def cluster() -> Canned:
    return Canned()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, cluster: Canned) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray_jobs, "connected", lambda _: cluster)
        app = make(str(tmp_path_factory.mktemp("results")), address="http://c:8265", allow_submit=True)
        server = make_server("127.0.0.1", 0, app.server, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.goto(f"{address}/submit")
    page.wait_for_selector("#submit-file input")
    yield page
    assert page.locator("#submit img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    assert trouble == []


def state(page: Any, words: str) -> None:
    page.locator("#submit-state", has_text=words).wait_for()


def test_a_study_is_checked_as_it_is_typed(page: Any) -> None:
    text, start = page.get_by_label("Study file"), page.get_by_role("button", name="Start on the cluster")
    text.fill(WRONG)
    state(page, "2 problems")
    assert start.is_disabled()
    page.locator("#submit-problems button").last.press("Enter")
    assert page.evaluate("getSelection().toString()") == "seedz: 2"
    assert page.evaluate("document.activeElement.id") == "submit-text"
    text.fill(STUDY)
    assert start.is_disabled(), "what was checked is another text"
    state(page, "It will be stored as tiny")
    assert "tiny: 8 runs, 0 stored, 8 to train" in page.locator("#submit-plan").inner_text()
    assert start.is_enabled()
    text.fill("")
    state(page, "Write or pick")
    assert start.is_disabled()


def test_a_text_comes_from_a_file_or_the_package_and_back(page: Any, tmp_path: Path) -> None:
    file, pick = tmp_path / "mine.yaml", page.get_by_label("or open a file")
    file.write_text(STUDY.replace("name: tiny\n", f"# {EVIL}\n"))
    pick.set_input_files(file)
    state(page, "It will be stored as mine")
    page.get_by_label("Start from").select_option("digits")
    state(page, "It will be stored as digits")
    assert page.url.endswith("/submit?from=digits")
    page.get_by_role("button", name="Bring back").click()
    state(page, "It will be stored as mine")
    page.reload()
    state(page, "It will be stored as mine")
    for data, words in ((b"\xff\xfe", "not UTF-8"), (b"x" * 100_001, "at most 100 kB")):
        file.write_bytes(data)
        pick.set_input_files([])
        pick.set_input_files(file)
        state(page, words)
    assert page.get_by_label("Study file").input_value().startswith(f"# {EVIL}")


def test_a_job_is_followed_and_stopped_by_a_second_button(page: Any, cluster: Canned) -> None:
    page.get_by_text("running, 1 min").wait_for()
    page.get_by_role("button", name="Log of job-1").click()
    page.get_by_text(f"{EVIL} of job-1").last.wait_for()
    page.get_by_role("button", name="Stop job-1").press("Enter")
    page.get_by_role("button", name="Let job-1 run").click()
    page.get_by_role("button", name="Stop job-1", exact=True).press("Enter")
    page.locator("#job-sure-job-1:focus").wait_for()
    assert cluster.stopped == []
    page.locator("#job-sure-job-1").press("Enter")
    page.get_by_text("job-1 stops; what runs is stored first.").wait_for()
    page.get_by_text("stopped, after 1 min").wait_for()
    assert cluster.stopped == ["job-1"]
    assert page.get_by_role("button", name="Stop").count() == 0
