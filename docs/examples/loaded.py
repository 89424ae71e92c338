"""A stream of sentences without end, an iterable set of its own, through torch's DataLoader: which word came thrice?"""

from itertools import islice

import torch
from torch.utils.data import DataLoader, IterableDataset

from robustness.workloads import Workload
from robustness.workloads.data import Feed


class Sentences(IterableDataset):
    def __init__(self, split, seed):
        self.split, self.seed, self.epoch = split, seed, 0

    def __iter__(self):
        of_split = {"train": self.epoch, "validation": 1_000_001, "test": 1_000_002}[self.split]
        draw = torch.Generator().manual_seed(1_000_003 * self.seed + of_split)
        for _ in range(512):
            words = torch.randint(20, (12,), generator=draw)
            target = torch.randint(20, (), generator=draw)
            words[torch.randperm(12, generator=draw)[:3]] = target
            yield {"words": words, "mask": torch.ones(12)}, target


class Loaded(Feed):
    splits = ("validation", "test")
    steps = 8  # batches of an epoch
    gaps = False

    def __init__(self, batch_size, seed, device, dtype):
        self.sets = {split: Sentences(split, seed) for split in ("train", *self.splits)}
        self.sets["sample"] = Sentences("train", seed)  # of epoch 0, which is not trained on
        self.batch_size, self.device, self.dtype = batch_size, device, dtype

    def batches(self, split):
        for inputs, targets in DataLoader(self.sets[split], batch_size=self.batch_size):
            mask = inputs["mask"].to(self.device, self.dtype)
            yield {"words": inputs["words"].to(self.device), "mask": mask}, targets.to(self.device)

    def train(self):
        self.sets["train"].epoch += 1
        return self.batches("train")

    def evaluate(self, split):
        return self.batches(split)

    def sample(self, examples):
        return islice(self.batches("sample"), -(-examples // self.batch_size))

    def resume(self, epochs, state):
        self.sets["train"].epoch = epochs


class Thrice(Workload):
    classes = 20
    batch_size: int = 64

    def feed(self, seed, device, dtype):
        return Loaded(self.batch_size, seed, device, dtype)

    def model(self):
        return Bag(self.classes)


class Bag(torch.nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embedding = torch.nn.Embedding(words, 32)
        self.head = torch.nn.Linear(32, words)

    def forward(self, words, mask):
        return self.head((self.embedding(words) * mask[..., None]).sum(1))
