"""Where data lie, and files from the network: whole and right, or one clear error."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from robustness.options import left_out
from robustness.workloads import CIFAR10, DataError
from robustness.workloads.downloads import Remote, extract, fetch
from robustness.workloads.places import CACHE, VARIABLE, data_folder
from tests.support.file_server import CONTENT, served
from tests.support.named import workload

if TYPE_CHECKING:
    from collections.abc import Iterator

MD5 = hashlib.md5(CONTENT).hexdigest()
HOME = "https://example.org/data"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    (tmp_path / "served").mkdir()
    for name in ("file.txt", "truncated.txt"):
        (tmp_path / "served" / name).write_bytes(CONTENT)
    with served(tmp_path / "served") as (url, asked):
        yield url, asked


def test_the_folder_is_the_options_else_the_variables_else_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "variable"))
    assert data_folder(str(tmp_path / "option")) == tmp_path / "option"
    assert data_folder() == tmp_path / "variable"
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert data_folder() == tmp_path / "xdg" / CACHE
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for none in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", none)
        assert data_folder() == tmp_path / "home" / ".cache" / CACHE
    assert data_folder("~/mine") == tmp_path / "home" / "mine"


def test_a_relative_folder_is_refused_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="must be an absolute path, or one that begins with ~, got 'data'"):
        CIFAR10(data_dir="data")
    with pytest.raises(ValueError, match="unknown user, got '~nobody-of-this-name/data'"):
        CIFAR10(data_dir="~nobody-of-this-name/data")
    monkeypatch.setenv(VARIABLE, "data")
    with pytest.raises(DataError, match=f"{VARIABLE} must be an absolute path"):
        data_folder()


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "imagenet", "treebank"])
def test_where_data_lie_is_no_part_of_a_runs_identity(name: str) -> None:
    assert "data_dir" in left_out(workload(name, data_dir="/somewhere"))


def test_a_file_is_fetched_once(server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = server
    remote, path = Remote(f"{url}/file.txt", MD5, HOME), tmp_path / "deep" / "down" / "mine.txt"
    fetch(remote, path)
    fetch(remote, path)
    assert path.read_bytes() == CONTENT
    assert asked == ["/file.txt"]
    assert {each.name for each in path.parent.iterdir()} <= {"mine.txt", ".mine.txt.lock"}


@pytest.mark.slow
def test_processes_that_ask_at_once_fetch_it_once(server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = server
    script = (
        "import sys, pathlib; from robustness.workloads.downloads import Remote, fetch\n"
        "fetch(Remote(*sys.argv[1:4]), pathlib.Path(sys.argv[4]))"
    )
    command = [sys.executable, "-c", script, f"{url}/file.txt", MD5, HOME, str(tmp_path / "file.txt")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert asked == ["/file.txt"]
    assert (tmp_path / "file.txt").read_bytes() == CONTENT


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


FAILURES = {
    "truncated.txt": (MD5, f"not that file: {len(CONTENT) // 2} bytes with md5 "),
    "file.txt": ("0" * 32, f"not that file: {len(CONTENT)} bytes with md5 {MD5}"),
    "absent.txt": (MD5, "absent.txt answers 404: "),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_be_fetched_whole_is_one_clear_error_and_leaves_nothing(
    server: tuple[str, list[str]], tmp_path: Path, name: str
) -> None:
    url, _ = server
    md5, message = FAILURES[name]
    path = tmp_path / "here" / "mine.txt"
    with pytest.raises(DataError, match=message) as caught:
        fetch(Remote(f"{url}/{name}", md5, HOME), path)
    for word in (f"{path} is not there", f"{url}/{name}", f"md5 {md5}", HOME):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [each.name for each in path.parent.iterdir() if not each.name.endswith(".lock")] == []


def test_no_network_says_which_file_to_put_where(tmp_path: Path) -> None:
    remote = Remote(f"http://127.0.0.1:{closed_port()}/file.txt", MD5, HOME)
    with pytest.raises(
        DataError, match=r"is not there, and it cannot be fetched .*refused.* put the file there"
    ) as caught:
        fetch(remote, tmp_path / "mine.txt")
    assert all(word in str(caught.value) for word in (str(tmp_path / "mine.txt"), MD5, HOME))


def test_a_damaged_file_is_named_with_both_checksums(server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = server
    path = tmp_path / "mine.txt"
    path.write_bytes(CONTENT[:-1])
    found = hashlib.md5(CONTENT[:-1]).hexdigest()
    with pytest.raises(DataError, match=f"mine.txt is damaged: its md5 is {found}, it should be {MD5}; delete it"):
        fetch(Remote(f"{url}/file.txt", MD5, HOME), path)
    assert asked == [], "what somebody put there is not overwritten"


def test_a_folder_that_cannot_be_written_to_is_said(server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, _ = server
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="is not there, and nothing can be written beside it"):
        fetch(Remote(f"{url}/file.txt", MD5, HOME), tmp_path / "file" / "mine.txt")


def test_an_archive_is_unpacked_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    for index in range(3):
        (tmp_path / "batches" / f"batch_{index}").write_bytes(bytes(range(256)) * 1000)
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as bundle:
        bundle.add(tmp_path / "batches", "batches")
    content = (tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "half.tar.gz").write_bytes(content[: len(content) // 2])
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(DataError, match=r"half.tar.gz cannot be unpacked to .*out/batches"):
        extract(tmp_path / "half.tar.gz", out / "batches")
    assert list(out.iterdir()) == []
    with pytest.raises(DataError, match=r"cannot be unpacked to .*out/others"):
        extract(tmp_path / "whole.tar.gz", out / "others")
    extract(tmp_path / "whole.tar.gz", out / "batches")
    assert sorted(each.name for each in Path(out / "batches").iterdir()) == ["batch_0", "batch_1", "batch_2"]
    assert [each.name for each in out.iterdir()] == ["batches"]
