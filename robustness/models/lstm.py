"""A word-level language model: embedding, LSTM, linear decoder.

Source: Zaremba, Sutskever and Vinyals, Recurrent Neural Network Regularization, arXiv 1409.2329 (dropout between
the layers alone); Press and Wolf, Using the Output Embedding to Improve Language Models, EACL 2017 (tied weights).
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class LanguageModel(nn.Module):
    """Predicts each next word, and carries its hidden state from one call to the next.

    The state is carried without its graph, so back-propagation is truncated at the start of a call. It is no
    part of `state_dict`. The network starts from zeros at its first call, after `reset`, and where a batch has
    another size than the one before. Call `reset` between texts and after moving the network to another device.

    Embedding and decoder weights start uniform in [-0.1, 0.1], the decoder's bias at 0, as in PyTorch's
    word_language_model example; the LSTM has PyTorch's default initialization.
    """

    def __init__(
        self,
        words: int,
        embedding: int = 512,
        hidden: int = 512,
        layers: int = 2,
        dropout: float = 0.5,
        *,
        tied: bool = False,
    ) -> None:
        """Build the network.

        Args:
            words: Size of the vocabulary.
            embedding: Size of a word's vector.
            hidden: Units in each LSTM layer.
            layers: Number of LSTM layers.
            dropout: Share dropped after the embedding and after each LSTM layer in training.
            tied: Whether the decoder's weight is the embedding's.

        Raises:
            ValueError: the weights are tied, and `embedding` is not `hidden`.
        """
        super().__init__()
        if tied and embedding != hidden:
            raise ValueError(f"tied weights need embedding = hidden, got {embedding} and {hidden}")
        self.dropout = nn.Dropout(dropout)
        self.embedding = nn.Embedding(words, embedding)
        # nn.LSTM drops between its layers, and warns if there is no between.
        self.lstm = nn.LSTM(embedding, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.decoder = nn.Linear(hidden, words)
        if tied:
            self.decoder.weight = self.embedding.weight
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        self._state: tuple[Tensor, Tensor] | None = None

    def reset(self) -> None:
        """Forget the hidden state."""
        self._state = None

    def forward(self, words: Tensor) -> Tensor:
        """Return logits (batch, time, words) of the words after those in `words`, integers (batch, time)."""
        if self._state is not None and self._state[0].shape[1] != len(words):
            self.reset()
        inputs = self.dropout(self.embedding(words))
        # Under autocast cuDNN's LSTM would be of half precision whatever is asked for: it stays in single precision.
        with torch.autocast(words.device.type, enabled=False) if inputs.is_cuda or inputs.is_cpu else nullcontext():
            outputs, (hidden, cell) = self.lstm(inputs, self._state)
        self._state = hidden.detach(), cell.detach()
        logits: Tensor = self.decoder(self.dropout(outputs))
        return logits
