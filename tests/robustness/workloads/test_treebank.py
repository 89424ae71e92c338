"""The Penn Treebank: the whole text in order, pieces that follow each other, an LSTM that keeps its state."""

from __future__ import annotations

import hashlib
import math
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from robustness.study import Study, StudyError
from robustness.training import train_single
from robustness.workloads import DataError, Treebank, treebank
from tests.support.file_server import served
from tests.support.real_data import real_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from robustness.workloads.data import Feed

LINES = {
    "train": [" the cat sat ", " the <unk> sat on the N mats "],
    "valid": [" the mats sat "],
    "test": [" the <unk> sat "],
}
WORDS = 8


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    treebank.read.cache_clear()
    yield
    treebank.read.cache_clear()


def put(monkeypatch: pytest.MonkeyPatch, folder: Path, repeated: int = 100) -> Path:
    """Write a small text in the Treebank's form, which is then taken for the real one; return the folder."""
    (folder / "ptb").mkdir(parents=True)
    md5s = {}
    for split, lines in LINES.items():
        content = ("\n".join(lines) + "\n").encode() * repeated
        (folder / "ptb" / f"ptb.{split}.txt").write_bytes(content)
        md5s[split] = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(treebank, "MD5", md5s)
    monkeypatch.setattr(treebank, "WORDS", WORDS)
    return folder


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return put(monkeypatch, tmp_path)


class Small(Treebank):
    classes = WORDS


def small(folder: Path, **options: Any) -> Small:
    return Small(**{"data_dir": str(folder), "batch_size": 4, "bptt": 7, "embedding": 8, "hidden": 8} | options)


def pieces(feed: Feed, split: str | None = None) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(feed.evaluate(split) if split else feed.train())


def test_words_are_numbered_by_frequency_and_a_line_ends_with_a_word(text: Path) -> None:
    train, valid, test = treebank.read(text)
    # Equally frequent ones by the alphabet, in which < comes first.
    order = ["the", "<eos>", "sat", "<unk>", "N", "cat", "mats", "on"]
    words = [order[i] for i in train[:12]]
    assert words == ["the", "cat", "sat", "<eos>", "the", "<unk>", "sat", "on", "the", "N", "mats", "<eos>"]
    assert [order[i] for i in valid[:4]] == ["the", "mats", "sat", "<eos>"]
    assert [order[i] for i in test[:4]] == ["the", "<unk>", "sat", "<eos>"]
    assert (len(train), len(valid), len(test)) == (1200, 400, 400)


def test_pieces_follow_each_other_and_cover_each_place_of_the_text(text: Path) -> None:
    feed = small(text).feed(0, "cpu", torch.float32)
    train = treebank.read(text)[0]
    batches = pieces(feed)
    assert feed.steps == len(batches) == math.ceil(299 / 7)
    assert [words.shape for words, _ in batches] == [(4, 7)] * 42 + [(4, 5)]
    words, following = (torch.cat(each, 1) for each in zip(*batches, strict=True))
    for place in range(4):
        own = train[300 * place : 300 * (place + 1)]
        assert torch.equal(words[place], own[:-1])
        assert torch.equal(following[place], own[1:])
    assert all(map(torch.equal, words, torch.cat([w for w, _ in pieces(feed)], 1))), "each epoch reads the same"


def test_evaluation_reads_the_other_splits_ten_places_side_by_side(text: Path) -> None:
    feed = small(text, test_size=105).feed(0, "cpu", torch.float32)
    _, valid, test = treebank.read(text)
    assert feed.splits == ("test", "validation")
    for split, whole in (("validation", valid), ("test", test)):
        words, following = (torch.cat(each, 1) for each in zip(*pieces(feed, split), strict=True))
        assert torch.equal(words, whole[:100].view(10, 10)[:, :-1])
        assert torch.equal(following, whole[:100].view(10, 10)[:, 1:])


def test_train_size_is_the_texts_start(text: Path) -> None:
    feed = small(text, train_size=90).feed(0, "cpu", torch.float32)
    words = torch.cat([words for words, _ in pieces(feed)], 1)
    assert torch.equal(words, treebank.read(text)[0][:88].view(4, 22)[:, :-1])


@pytest.mark.parametrize(("examples", "batches"), [(1, 1), (28, 1), (29, 2), (10**6, 43)])
def test_a_sample_is_the_first_pieces(text: Path, examples: int, batches: int) -> None:
    feed = small(text).feed(0, "cpu", torch.float32)
    sampled = list(feed.sample(examples))
    assert len(sampled) == batches
    assert all(torch.equal(a[0], b[0]) for a, b in zip(sampled, pieces(feed), strict=False))


def test_training_is_the_plain_loop_with_the_state_carried(text: Path) -> None:
    """One epoch without dropout against torch.nn's LSTM unrolled by hand, in double precision."""
    workload = small(text, epochs=1, dropout=0.0, clip=None, train_size=200)
    run = Study(name="x", workload=workload, optimizers=["sgd"], space={"lr": [0.1], "weight_decay": [0]}).grid()[0]
    history = train_single(run, dtype=torch.float64)

    from robustness.randomness import initial_model

    model: Any = initial_model(workload, run.seed).double()
    sgd = torch.optim.SGD(model.parameters(), 0.1, 0.9)
    train = treebank.read(text)[0][:200].view(4, 50)
    total, state = 0.0, None
    for start in range(0, 49, 7):
        words, following = train[:, start : min(start + 7, 49)], train[:, start + 1 : start + 8]
        outputs, state = model.lstm(model.embedding(words), state)
        state = tuple(each.detach() for each in state)
        loss = torch.nn.functional.cross_entropy(model.decoder(outputs).flatten(0, 1), following.flatten())
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        total += float(loss.detach()) * following.numel()
    assert history.values["train_loss"][0, 0] == pytest.approx(total / (4 * 49), rel=1e-12)


def test_the_loss_at_the_start_is_that_of_knowing_nothing_in_nats(text: Path) -> None:
    workload = small(text)
    feed = workload.feed(0, "cpu", torch.float32)
    words, following = next(feed.evaluate("test"))
    losses = workload.losses(workload.model()(words), following)
    assert losses.shape == following.shape
    assert float(losses.detach().mean()) == pytest.approx(math.log(WORDS), abs=0.2)
    wrong = workload.errors(torch.nn.functional.one_hot(following, WORDS), following)
    assert wrong.shape == following.shape
    assert not wrong.any()


def test_the_defaults() -> None:
    workload = Treebank()
    assert (workload.batch_size, workload.bptt, workload.clip, workload.engine) == (20, 35, 0.25, "single")
    assert workload.has_validation
    assert workload.chance_error == pytest.approx(99.99)
    assert sum(p.numel() for p in workload.model().parameters()) == 2 * 10_000 * 512 + 10_000 + 8 * 512 * (
        512 + 512 + 2
    )


REFUSED = {
    "engine: stack": "workload.engine: must be single, got the text 'stack'",
    "train_size: 39": "train_size must be at least 2 words for each place of the batch, got 39",
    "tied: true, hidden: 100": "tied needs embedding = hidden, got 512 and 100",
    "test_size: 19": "workload.test_size: must be at least 20, got 19",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_is_wrong_with_an_option_is_said(options: str) -> None:
    with pytest.raises(StudyError) as caught:
        Study.parse(
            f"workload: {{name: treebank, {options}}}\noptimizers: [adam]\nspace: {{lr: [1], weight_decay: [0]}}"
        )
    assert REFUSED[options] in str(caught.value)


def test_the_files_are_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: Path) -> None:
    with served(text / "ptb") as (url, asked):
        monkeypatch.setattr(treebank, "URL", url + "/{file}")
        fresh = treebank.read(tmp_path / "fresh")
        assert all(map(torch.equal, fresh, treebank.read(text)))
        assert asked == ["/ptb.train.txt", "/ptb.valid.txt", "/ptb.test.txt"]


def test_a_damaged_file_and_an_absent_one_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: Path
) -> None:
    monkeypatch.setattr(treebank, "URL", "http://127.0.0.1:9/{file}")
    with pytest.raises(
        DataError, match=f"ptb/ptb.train.txt is not there, .*: md5 {treebank.MD5['train']}, see https://github"
    ):
        treebank.read(tmp_path / "elsewhere")
    shutil.copytree(text, tmp_path / "damaged")
    path = tmp_path / "damaged" / "ptb" / "ptb.valid.txt"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"ptb\.valid.txt is damaged: its md5 is"):
        treebank.read(tmp_path / "damaged")


def test_another_vocabulary_is_refused(monkeypatch: pytest.MonkeyPatch, text: Path) -> None:
    monkeypatch.setattr(treebank, "WORDS", 10)
    with pytest.raises(DataError, match=r"ptb\.train.txt has 8 different words, not 10"):
        treebank.read(text)


def test_smoke_is_small_and_trains(text: Path) -> None:
    smoke = small(text).smoke()
    assert (smoke.epochs, smoke.train_size, smoke.test_size, smoke.hidden) == (2, 4000, 2000, 8)
    whole = Treebank().smoke()
    assert (whole.hidden, whole.embedding) == (32, 32)
    run = Study(name="x", workload=smoke, optimizers=["adams"], space={"lr": [1e-3], "weight_decay": [1e-4]}).grid()[0]
    values = train_single(run).values
    assert np.isfinite(values["validation_loss"]).all()
    assert np.isfinite(values["test_loss"]).all()


@pytest.mark.slow
def test_the_real_treebank_is_read() -> None:
    train, valid, test = treebank.read(real_data("text"))
    assert [len(words) for words in (train, valid, test)] == [929_589, 73_760, 82_430]
    counts = train.bincount()
    assert len(counts) == 10_000
    assert (counts.diff() <= 0).all()


@pytest.mark.slow
def test_the_lstm_learns_the_real_treebank() -> None:
    """About 30 s on one core. Knowing only how frequent each word is gives a perplexity of about 700."""
    workload = Treebank(
        data_dir=str(real_data("text")),
        hidden=64,
        embedding=64,
        layers=1,
        dropout=0.2,
        train_size=200_000,
        test_size=20_000,
        epochs=1,
    )
    run = Study(name="x", workload=workload, optimizers=["adam"], space={"lr": [0.01], "weight_decay": [0]}).grid()[0]
    values = train_single(run).values
    assert math.exp(values["test_loss"][0, -1]) < 400
    assert values["test_error"][0, -1] < 90
