"""Groups of parameters in both engines are those of torch's optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from robustness import Study, StudyError
from robustness.cli import main
from robustness.dry_run.pieces import tried
from robustness.optimizers import OPTIMIZERS
from robustness.randomness import data_order, initial_model
from robustness.training import train_single, train_stack
from tests.support import grouped_networks as grouped
from tests.support.checkpoints import resumed, same

if TYPE_CHECKING:
    from pathlib import Path

HERE = "tests.support.grouped_networks"
GROUPS: list[dict[str, Any]] = [
    {"match": "6.*", "lr_factor": 0.1, "weight_decay_factor": 3},
    {"kind": "gain", "lr_factor": 0.5},
    {"kind": "bias", "weight_decay_factor": 0},
]


def study(*optimizers: Any, workload: str = "Mixed", engine: str = "stack", decay: float = 1e-3, **more: Any) -> Study:
    return Study(
        name="grouped",
        workload={"name": f"{HERE}:{workload}", "epochs": 3, "engine": engine, **more},
        optimizers=list(optimizers),
        space={"lr": [0.01], "weight_decay": [decay]},
        seeds=1,
    )


def by_hand(made: Study, groups: list[tuple[list[str], float, float]]) -> list[np.ndarray]:
    """Return the parameters after training in a loop that one would write, with torch's own groups."""
    (run,) = made.grid()
    data = run.workload.data(0)
    model = initial_model(run.workload, 0).double()
    named, native = dict(model.named_parameters()), run.weight_decay_native
    optimizer = run.optimizer.torch_optimizer(
        [
            {"params": [named[name] for name in names], "lr": run.lr * rate, "weight_decay": native * decay}
            for names, rate, decay in groups
        ],
        run.lr,
        native,
    )
    base = [group["lr"] for group in optimizer.param_groups]
    order = data_order(32, 16, 0)
    for epoch in range(3):
        for group, lr in zip(optimizer.param_groups, base, strict=True):
            group["lr"] = lr * run.factor(epoch)
        for indices in next(order):
            optimizer.zero_grad()
            outputs = model(data.train_inputs[indices].double())
            torch.nn.functional.cross_entropy(outputs, data.train_targets[indices]).backward()
            optimizer.step()
    return [named[name].detach().numpy() for name in named]


class Kept:
    """Keeps the last state."""

    state: Any = None

    def load(self, _runs: Any) -> None:
        return None

    def refuse(self, why: str) -> None:
        raise AssertionError(why)

    def ended(self, _epoch: int, _epochs: int, state: Any) -> None:
        self.state = state()


@pytest.mark.parametrize("name", ["adams", "adamw", "adam", "sgd", "sgds", "sgd-eq1"])
@pytest.mark.parametrize("engine", ["stack", "single"])
def test_weights_are_those_of_a_loop_with_torchs_groups(name: str, engine: str) -> None:
    made = study({"name": name, "groups": GROUPS}, engine=engine)
    expected = by_hand(
        made,
        [
            (["6.weight", "6.bias"], 0.1, 3.0),
            (["1.weight"], 0.5, 1.0),
            (["0.bias", "1.bias", "4.bias"], 1.0, 0.0),
            (["0.weight", "4.weight"], 1.0, 1.0),
        ],
    )
    keeper: Any = Kept()
    runs = made.grid()
    if engine == "stack":
        train_stack(runs, dtype=torch.float64, keeper=keeper)
        row = keeper.state["engine"]["weights"][0].numpy()
        found = np.split(row[: sum(each.size for each in expected)], np.cumsum([each.size for each in expected])[:-1])
    else:
        train_single(runs[0], dtype=torch.float64, keeper=keeper)
        held = keeper.state["engine"]["model"]
        found = [held[key].numpy() for key, _ in initial_model(runs[0].workload, 0).named_parameters()]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.reshape(other.shape), other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS.own)
@pytest.mark.parametrize("said", [{"decay_on": "matrices"}, {"groups": GROUPS}], ids=["matrices", "groups"])
def test_both_engines_agree_with_the_plain_loop(name: str, said: dict[str, Any]) -> None:
    """Effective decay and root of the mean second moment too, at another rate in each epoch."""
    notes = tried(study({"name": name, **said}, schedule={"kind": "cosine", "warmup": 1}))
    assert [each.text for each in notes if each.fatal] == []
    assert any("tensors" in each.text for each in notes)


def test_decay_on_matrices_is_a_group_of_all_else_without_decay() -> None:
    made = study({"name": "adamw", "decay_on": "matrices"})
    vectors = ["0.bias", "1.weight", "1.bias", "4.bias", "6.bias"]
    expected = by_hand(made, [(["0.weight", "4.weight", "6.weight"], 1, 1), (vectors, 1, 0)])
    keeper: Any = Kept()
    train_stack(made.grid(), dtype=torch.float64, keeper=keeper)
    flat = np.concatenate([each.ravel() for each in expected])
    np.testing.assert_allclose(keeper.state["engine"]["weights"][0].numpy()[: flat.size], flat, rtol=1e-9, atol=1e-12)
    (note,) = tried(made)
    assert note.text.endswith("adamw decays 3 of 8 tensors, 96.2 % of the parameters")


def test_what_is_stored_is_the_decay_by_which_the_norm_shrinks() -> None:
    """The mean of the decays, weighted by the squares of the weights."""
    made = study({"name": "adamw", "groups": [{"match": "4.*", "weight_decay_factor": 0}]}, engine="single")
    keeper: Any = Kept()
    history = train_single(made.grid()[0], dtype=torch.float64, keeper=keeper)
    held = keeper.state["engine"]["model"]
    squares = {name: float(held[name].square().sum()) for name, _ in initial_model(made.workload, 0).named_parameters()}
    shrinking = sum(value for name, value in squares.items() if not name.startswith("4."))
    assert history.values["effective_decay"][0, -1] == pytest.approx(shrinking / sum(squares.values()), rel=1e-6)


def test_groups_are_part_of_the_run_where_they_are_given_alone() -> None:
    made = study(
        "adamw",
        {"name": "adamw", "label": "m", "decay_on": "matrices"},
        {"name": "adamw", "label": "g", "groups": GROUPS},
    )
    ids = [run.run_id for run in made.grid()]
    assert len(set(ids)) == 3
    assert study("adamw").grid()[0].run_id == ids[0]
    assert Study.parse(made.text).grid() == made.grid()


def test_a_run_with_groups_is_set_down_and_goes_on() -> None:
    runs = study({"name": "adams", "groups": GROUPS}, {"name": "adamw", "decay_on": "matrices"}).grid()
    from robustness.training import train

    same(resumed(runs, 2), train(runs, device="cpu"))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([{"match": "*.bais"}], "groups[0]: match '*.bais' is that of no parameter"),
        ([{"kind": "embedding"}], "groups[0]: kind embedding is that of no parameter"),
        (
            [{"match": "*"}, {"match": "*.bias"}],
            "groups[1] has no parameter: those that it matches are of a group before",
        ),
    ],
)
def test_a_group_of_nothing_is_refused_with_the_names_there_are(groups: list[dict[str, Any]], words: str) -> None:
    found = [each.text for each in tried(study({"name": "adamw", "groups": groups})) if each.fatal]
    assert words in found[0]
    if "no parameter;" in found[0]:
        assert "0.weight, 0.bias, 1.weight" in found[0]


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ({"lr_factor": 0.5}, "a group says `match`, a pattern of names, or `kind`, one of matrix"),
        ({"kind": "weights"}, "must be matrix, embedding, head, bias, gain or other"),
        ({"match": "*", "lr_factor": -1}, "must be at least 0"),
    ],
)
def test_what_is_no_group_is_refused_with_its_place(group: dict[str, Any], words: str) -> None:
    with pytest.raises(StudyError, match=r"optimizers\[0\]\.groups\[0\]") as caught:
        study({"name": "adamw", "groups": [group]})
    assert words in str(caught.value)


def test_a_class_that_wants_groups_has_them_of_the_workload_or_of_the_entry() -> None:
    named = {"name": f"{HERE}:MatricesAndRest", "convention": "decoupled", "label": "muon"}
    hooked = study(named, workload="Hooked", engine="single")
    assert [each.text for each in tried(hooked) if each.fatal] == []
    groups = [
        {"kind": "matrix", "match": "4.*", "lr_factor": 2, "options": {"use_muon": True}},
        {"kind": "head", "lr_factor": 2, "options": {"use_muon": True}},
        {"match": "*", "weight_decay_factor": 0, "options": {"use_muon": False}},
    ]
    said = study({**named, "groups": groups}, engine="single")
    assert [each.text for each in tried(said) if each.fatal] == []
    one, other = (train_single(each.grid()[0]).values["test_loss"] for each in (hooked, said))
    np.testing.assert_array_equal(one, other)
    with pytest.raises(StudyError, match="takes no `lr`, which a study sets; where it wants groups"):
        study(named, engine="single")


def test_a_workloads_groups_hold_in_both_engines() -> None:
    one = train_single(study("adamw", workload="Hooked", engine="single").grid()[0], dtype=torch.float64)
    stack = train_stack(study("adamw", workload="Hooked").grid(), dtype=torch.float64)
    np.testing.assert_allclose(one.values["test_loss"], stack.values["test_loss"], rtol=1e-7)
    (finding,) = [each.text for each in tried(study("adamw", workload="Forgetful")) if each.text.startswith(HERE)]
    assert "parameter_groups gives no group to 0.bias, 1.weight" in finding


def test_the_rates_that_a_class_gives_its_groups_keep_their_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[list[float]] = []
    usual = torch.optim.AdamW.step

    def noted(self: Any, closure: Any = None) -> Any:
        rates.append([group["lr"] for group in self.param_groups])
        return usual(self, closure)

    monkeypatch.setattr(grouped.Halved, "step", noted, raising=False)
    named = {"name": f"{HERE}:Halved", "convention": "decoupled", "schedule": {"kind": "cosine"}}
    train_single(study(named, engine="single").grid()[0])
    assert len({rate for _, rate in rates}) == 3
    for slow, rate in rates:
        assert slow == pytest.approx(0.1 * rate)


def test_a_rule_of_ones_own_is_told_the_layout() -> None:
    made = study(f"{HERE}:Layered")
    rule = grouped.LayeredRule
    rule.told.clear()
    train_stack(made.grid())
    (layout,) = rule.told
    assert [piece.name for piece in layout][:2] == ["0.weight", "0.bias"]
    with pytest.raises(StudyError, match="its update rule knows no groups of parameters: give the workload"):
        study({"name": f"{HERE}:Layered", "decay_on": "matrices"})


def test_validate_makes_optimizers_for_the_networks_own_parameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "muon.yaml"
    made = study({"name": "torch.optim:Muon", "label": "Muon"}, engine="single")
    file.write_text(made.text, "utf-8")
    assert main(["validate", str(file)]) == 2
    said = capsys.readouterr().err
    assert f"{file}: optimizers[0]: torch.optim:Muon: does not take the parameters of {HERE}:Mixed in one list" in said
    assert "only supports 2D parameters" in said
