"""What the parameters of a network are."""

from __future__ import annotations

from torch import nn

from robustness.parameters.parameter_layout import layout_of


class Texts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(5, 4)
        self.body = nn.Sequential(nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3, bias=False))
        self.norm = nn.LayerNorm(3)
        self.scale = nn.Parameter(nn.init.ones_(nn.Linear(1, 1).weight.detach()[0].clone()))
        self.head = nn.Linear(3, 2)
        self.frozen = nn.Linear(2, 2)
        self.frozen.requires_grad_(False)


def test_pieces_lie_one_behind_the_other_and_have_a_kind() -> None:
    layout = layout_of(Texts())
    assert [(piece.name, piece.kind, piece.shape) for piece in layout] == [
        ("scale", "other", (1,)),
        ("words.weight", "embedding", (5, 4)),
        ("body.0.weight", "matrix", (6, 4, 3)),
        ("body.0.bias", "bias", (6,)),
        ("body.1.weight", "gain", (6,)),
        ("body.1.bias", "bias", (6,)),
        ("body.3.weight", "matrix", (3, 6)),
        ("norm.weight", "gain", (3,)),
        ("norm.bias", "bias", (3,)),
        ("head.weight", "head", (2, 3)),
        ("head.bias", "bias", (2,)),
    ]
    assert [piece.start for piece in layout] == [0, 1, 21, 93, 99, 105, 111, 129, 132, 135, 141]
    assert layout[-1].stop == 143
    assert [piece.name for piece in layout if piece.normalized] == ["body.0.weight"]
    assert [piece.is_matrix for piece in layout].count(True) == 4


def test_of_some_names_alone_in_the_networks_order() -> None:
    layout = layout_of(Texts(), {"head.weight", "words.weight", "frozen.weight"})
    assert [(piece.name, piece.start) for piece in layout] == [
        ("words.weight", 0),
        ("head.weight", 20),
        ("frozen.weight", 26),
    ]
