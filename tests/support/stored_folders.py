"""Folders for the tests of the store: in memory, dying at a given operation, and many at once step by step."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from robustness.results import StorageError, Store
from robustness.results.files.folder import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.results.files.folder import Folder


class KilledError(Exception):
    """Stands for SIGKILL."""


class Memory:
    """A folder in memory, shared by all stores that are given its files.

    A listing is not of one moment: it takes two steps, each of half of the names, as that of a large folder does.
    """

    threads = 1

    def __init__(self, files: dict[str, bytes], step: Callable[[], None] = lambda: None) -> None:
        self.files, self.step = files, step
        self.old: set[str] = set()

    def entries(self, folder: str = "") -> list[Entry]:
        found = []
        for half in (lambda name: name < "8", lambda name: name >= "8"):
            self.step()
            paths = [path.rpartition("/") for path in sorted(self.files)]
            found += [Entry(name, is_file=True) for parent, _, name in paths if parent == folder and half(name)]
        return found

    def read(self, path: str) -> bytes | None:
        self.step()
        return self.files.get(path)

    def local(self, path: str) -> None:
        """It lies in memory."""

    def write(self, path: str, data: bytes) -> None:
        self.step()
        self.files[path] = data

    def move(self, source: str, target: str) -> bool:
        raise AssertionError(f"{source} is set aside")

    def remove(self, path: str) -> None:
        self.step()
        self.files.pop(path, None)

    def clean(self, folder: str, older_than_s: float) -> None:
        pass

    def age(self, path: str) -> float | None:
        self.step()
        return None if path not in self.files else 1e6 if path in self.old else 0.0


class Dying:
    """A folder whose owner is killed before its operation number `last`, from 0."""

    threads = 1

    def __init__(self, folder: Folder, last: int) -> None:
        self._folder, self.left = folder, last

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._folder, name)

        def call(*arguments: object) -> object:
            self.left -= 1
            if self.left < 0:
                raise KilledError
            return method(*arguments)

        return call


class Turns:
    """Lets threads take one step at a time, in an order that a seed decides."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._change = threading.Condition()
        self._live: set[str] = set()
        self._waiting: set[str] = set()
        self._turn: str | None = None
        self.errors: list[Exception] = []

    def step(self, name: str, *, may_die: bool) -> None:
        with self._change:
            self._waiting.add(name)
            self._choose()
            self._change.wait_for(lambda: self._turn == name)
            self._turn = None
            self._waiting.discard(name)
            if may_die and self._random.random() < 0.02:
                raise KilledError

    def _choose(self) -> None:
        if self._waiting == self._live and self._live:
            self._turn = self._random.choice(sorted(self._live))
            self._change.notify_all()

    def run(self, actors: dict[str, Callable[[], None]]) -> None:
        self._live = set(actors)
        threads = [threading.Thread(target=self._act, args=item) for item in actors.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _act(self, name: str, action: Callable[[], None]) -> None:
        try:
            action()
        except KilledError:
            pass
        except Exception as error:  # noqa: BLE001 - the main thread raises it
            self.errors.append(error)
        finally:
            with self._change:
                self._live.discard(name)
                self._choose()


def store_in(folder: Folder | Memory | Dying | Away) -> Store:
    """Return a store on that folder."""
    store = Store("/nowhere")
    store.__dict__["folder"] = folder
    return store


class Away:
    """A folder that is away for some operations: the numbers from 0."""

    threads = 1

    def __init__(self, folder: Folder, error: Callable[[], StorageError], away: set[int]) -> None:
        self._folder, self._error, self._away = folder, error, away
        self.count = 0

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._folder, name)

        def call(*arguments: object) -> object:
            self.count += 1
            if self.count - 1 in self._away:
                raise self._error()
            return method(*arguments)

        return call
