"""Any torch optimizer in a study, by import string: what it is given, what is refused, what it trains."""
# ruff: noqa: E501 - a table is read best with a row on a line

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch

from robustness.optimizers import OPTIMIZERS
from robustness.optimizers.imported import TorchOptimizer
from robustness.parameters.keywords import Keywords
from robustness.study import Run, Study, StudyError
from robustness.study.import_string import beside
from robustness.study.run import options_json
from robustness.training import train_single
from robustness.workloads import Digits
from tests.support.named import optimizer
from tests.support.studies import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = """
from typing import ClassVar
from robustness.optimizers.adamw import AdamWOptions
import torch

class Damped(AdamWOptions):
    name: str
    def native_weight_decay(self, weight_decay):
        return 5 * weight_decay

class Plain(torch.optim.SGD):
    def __init__(self, params, lr, momentum=0.0, weight_decay=0.0, **more):
        self.more = more
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "rules.py").write_text(RULES)
    yield tmp_path
    sys.modules.pop("rules", None)


def with_optimizer(**options: Any) -> Study:
    return Study(name="x", workload=Digits(engine="single"), optimizers=[options], space=SPACE)


def refused(**options: Any) -> str:
    with pytest.raises(StudyError) as caught:
        with_optimizer(**options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("ours", "name", "options", "weight_decay"),
    [
        ("adamw", "torch.optim:AdamW", {"betas": [0.8, 0.99]}, 1e-4),
        ("adam", "torch.optim:Adam", {"betas": [0.8, 0.99], "amsgrad": True}, 1e-2),
    ],
)
def test_a_torch_optimizer_is_trained_as_the_same_one_of_ours(
    ours: str, name: str, options: dict[str, Any], weight_decay: float
) -> None:
    own = OPTIMIZERS[ours](**options)
    entry = with_optimizer(name=name, convention=own.convention, options=options).optimizers[0]
    workload = Digits(engine="single", epochs=2, train_size=128, width=8)
    rows = [
        train_single(Run(workload, optimizer, 0.01, weight_decay, 0)).rows({})[0]
        for optimizer in (own, entry.optimizer)
    ]
    names = ("train_loss", "test_loss", "weight_norm", "root_mean_v", "effective_decay")
    assert [rows[0][name] for name in names] == [rows[1][name] for name in names]
    assert rows[0]["run_id"] != rows[1]["run_id"]
    assert entry.label == name


def test_the_weight_decay_that_it_is_given() -> None:
    def native(**options: Any) -> float:
        return TorchOptimizer(name="torch.optim:SGD", **options).native_weight_decay(5e-4)

    assert native(convention="decoupled") == optimizer("adamw").native_weight_decay(5e-4) == 0.5
    assert native(convention="l2") == native(convention="vanilla") == native(convention="scheduled") == 5e-4
    assert native(convention="decoupled", decay_scale=3.0) == 1.5e-3


def test_a_decoupled_decay_multiplies_the_weights_by_1_minus_eta_lambda() -> None:
    entry = with_optimizer(name="pytorch_optimizer:Lion", convention="decoupled", label="Lion").optimizers[0]
    weights = torch.tensor([[2.0, -3.0]], requires_grad=True)
    weights.grad = torch.zeros_like(weights)
    given = entry.optimizer.native_weight_decay(1e-3)
    entry.optimizer.torch_optimizer([weights], lr=0.1, weight_decay=given).step()
    torch.testing.assert_close(weights.detach(), torch.tensor([[2.0, -3.0]]) * (1 - 0.1 * 1.0))
    assert entry.optimizer.effective_decay(given, 0.1, torch.tensor(math.nan)) == 1.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "torch.optim:NAdam", "convention": "L2"}, "optimizers[0].convention: must be l2, decoupled, scheduled or vanilla, got the text 'L2'"),
        ({"name": "torch.optim:NAdm", "convention": "l2"}, "optimizers[0].name: module 'torch.optim' has no class 'NAdm', did you mean 'NAdam'?"),
        ({"name": "torch.optm:NAdam", "convention": "l2"}, "optimizers[0].name: there is no module 'torch.optm'"),
        ({"name": "no_such_package:X", "convention": "l2"}, "optimizers[0].name: there is no module 'no_such_package' in the current folder or among the installed packages"),
        ({"name": "fractions:Fraction", "convention": "l2"}, "optimizers[0].name: Fraction is a subclass neither of torch.optim.Optimizer nor of robustness.optimizers.Optimizer"),
        ({"name": "torch.optim:Rprop", "convention": "l2"}, "optimizers[0]: takes no weight decay: give it `space: {weight_decay: [0]}`"),
        ({"name": "pytorch_optimizer:AliG", "convention": "l2"}, "optimizers[0]: takes no `lr`, which a study sets; where it wants groups of parameters, give the entry `groups`"),
        ({"name": "torch.optim:NAdam", "convention": "l2", "betas": [0, 0]}, "optimizers[0].betas: unknown key; allowed here: name, convention, schedule, decay_on, groups, options, decay_scale, label"),
        ({"name": "torch.optim:NAdam", "convention": "l2", "options": {"momentumdecay": 1}}, "optimizers[0].options.momentumdecay: NAdam takes no such argument, did you mean 'momentum_decay'? it takes betas, eps, momentum_decay, "),
        ({"name": "torch.optim:NAdam", "convention": "l2", "options": {"zzz": 1}}, "optimizers[0].options.zzz: NAdam takes no such argument; it takes betas"),
        ({"name": "torch.optim:NAdam", "convention": "l2", "options": {"lr": 1}}, "optimizers[0].options.lr: is set by the study"),
        ({"name": "torch.optim:NAdam", "convention": "l2", "options": {"betas": [0.9, 2]}}, "optimizers[0].options: NAdam can't be made: ValueError: Invalid beta parameter at index 1: 2 (nadam.py:"),
        ({"name": "torch.optim:NAdam", "convention": "l2", "options": {"eps": math.inf}}, "optimizers[0].options: eps must be a finite number, got inf"),
        ({"name": "torch.optim:NAdam", "convention": "l2", "options": {"eps": {"a": 1}}}, "optimizers[0].options: eps must be a number, text, true, false or a list of these, got {'a': 1}"),
        ({"name": "torch.optim:NAdam", "convention": "l2", "options": [1]}, "optimizers[0].options: expected a mapping of keyword arguments, got [1]"),
        ({"name": "torch.optim:NAdam", "convention": "l2", "decay_scale": 0}, "optimizers[0].decay_scale: must be greater than 0, got 0"),
        ({"name": "pytorch_optimizer:Lion", "convention": "decoupled", "options": {"maximise": True}}, "optimizers[0].options.maximise: Lion takes no such argument, did you mean 'maximize'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_torch_optimizer(options: dict[str, Any], words: str) -> None:
    assert words in refused(**options)


def test_behind_keywords_of_any_name_only_a_slip_is_refused(folder: Path) -> None:
    with beside(folder / "x.yaml"):
        entry = with_optimizer(name="rules:Plain", convention="l2", options={"clamp": 2}).optimizers[0]
        made: Any = entry.optimizer.torch_optimizer([torch.zeros(1)], lr=1.0, weight_decay=0.0)
        assert made.more == {"clamp": 2}
        assert "did you mean 'momentum'?" in refused(name="rules:Plain", convention="l2", options={"momentun": 0.9})


def test_options_of_our_own_base_class_are_taken_as_they_are(folder: Path) -> None:
    with beside(folder / "x.yaml"):
        study = Study(
            name="x", workload="digits", optimizers=[{"name": "rules:Damped", "betas": [0.8, 0.9]}], space=SPACE
        )
    optimizer: Any = study.optimizers[0].optimizer
    assert (optimizer.name, optimizer.betas, optimizer.convention) == ("rules:Damped", (0.8, 0.9), "decoupled")
    assert study.run(optimizer, 0.1, 0.01, 0).weight_decay_native == 0.05
    assert optimizer.stackable
    assert optimizer.rule(torch.zeros(1, 64), torch.zeros(1), 3) is not None


def test_without_an_update_rule_a_workload_has_the_engine_single() -> None:
    nadam = {"name": "torch.optim:NAdam", "convention": "l2"}
    with pytest.raises(StudyError) as caught:
        Study(name="x", workload=["digits-cnn", Digits(engine="single")], optimizers=["adam", nadam], space=SPACE)
    message = "optimizers[1]: has no update rule with a run axis: give the workload `engine: single`"
    assert str(caught.value) == message


def test_the_label_of_two_entries_of_one_class_differ_like_their_options() -> None:
    nadam = {"name": "torch.optim:NAdam", "convention": "l2"}
    entries = [nadam, {**nadam, "options": {"eps": 1e-6}, "label": "b"}, {**nadam, "decay_scale": 2, "label": "c"}]
    study = Study(name="x", workload=Digits(engine="single"), optimizers=entries, space=SPACE)
    assert len({run.run_id for run in study.grid()}) == 3 * 4 * 3
    with pytest.raises(StudyError, match="the same optimizer with the same options"):
        Study(name="x", workload=Digits(engine="single"), optimizers=[nadam, {**nadam, "label": "b"}], space=SPACE)


def test_keywords_are_told_apart_as_the_identity_tells_them() -> None:
    def options(**values: Any) -> TorchOptimizer:
        return TorchOptimizer(name="torch.optim:SGD", convention="l2", options=values)

    assert options(a=1, b=2) == options(b=2, a=1)
    assert hash(options(a=[1, 2])) == hash(options(a=(1, 2)))
    assert options(a=-0.0) == options(a=0.0)
    assert options(a=1) != options(a=True)
    assert options(a=1) != options(a=1.0)
    different = [options(a=1), options(a=1.0), options(a=True), options(a="1"), options(a=[1]), options(a=None)]
    assert len(set(different)) == len({options_json(each) for each in different}) == 6
    assert dict(Keywords({"b": [1, [2.5]], "a": "x"})) == {"a": "x", "b": (1, (2.5,))}
    with pytest.raises(ValueError, match="the name of a keyword argument is text, got 3"):
        Keywords({3: 1})  # type: ignore[dict-item]


def test_without_an_update_rule_the_error_says_which_engine_to_use() -> None:
    optimizer = TorchOptimizer(name="torch.optim:SGD", convention="l2")
    assert not optimizer.stackable
    with pytest.raises(NotImplementedError, match=r"torch.optim:SGD has no update rule with a run axis: .* `single`"):
        optimizer.rule(torch.zeros(1, 64), torch.zeros(1), 1)
