"""Commands that look at stored studies, on verdicts and figures that a test sets."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from analysis.claims.verdict import Outcome, Verdict
from robustness import Place, Store
from robustness.cli import main
from tests.support.noted import noted
from tests.support.studies import FILE

if TYPE_CHECKING:
    from pathlib import Path


def verdict(claim: str, outcome: Outcome, *, made_for: bool = False, study: str = "t") -> Verdict:
    return Verdict(
        claim=claim, sentence="It does.", figure="", study=study, workload="digits", outcome=outcome,
        why=f"why {claim}", made_for=made_for,
    )  # fmt: skip


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stored study t, whose verdicts a test sets, and the deltas that were asked for."""
    Store(tmp_path / "results" / "t").write_study(FILE)
    given = SimpleNamespace(verdicts=[verdict("a", "reproduced")], deltas=[], claims=[], workloads=["digits"])

    def gather(store: Store, deltas: tuple[float, ...], claims: object) -> list[SimpleNamespace]:
        given.deltas.append(deltas)
        given.claims.append(claims)
        return [SimpleNamespace(name="t", workload=title, verdicts=given.verdicts) for title in given.workloads]

    monkeypatch.setattr("analysis.contents.gather.gather_all", gather)
    monkeypatch.chdir(tmp_path)
    return given


def test_claims_prints_verdicts_and_writes_them_beside_the_results(
    judged: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", "t"]) == 0
    captured = capsys.readouterr().out
    assert "t, digits\n1 claim: 1 reproduced" in captured
    assert "why a" in captured
    path = tmp_path / "results" / "t" / "claims.json"
    assert f"verdicts: {path}" in captured
    assert [each["claim"] for each in json.loads(path.read_text())["verdicts"]] == ["a"]
    assert judged.deltas == [(1.0, 2.0)]
    assert judged.claims == [None]


def test_claims_are_those_of_the_study_file_as_it_is_now(judged: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "search_spaces").mkdir()
    file = tmp_path / "search_spaces" / "t.yaml"
    file.write_text(FILE + "claims: [wider-basin]\n")
    assert main(["claims", "t"]) == 0
    assert main(["claims", "search_spaces/t.yaml"]) == 0
    assert [[claim.id for claim in claims] for claims in judged.claims] == [["wider-basin"]] * 2
    file.write_text(FILE + "claims: [wider-bason]\n")
    assert main(["claims", "t"]) == 2


def test_claims_of_several_studies_go_into_one_file_where_that_is_asked(
    judged: SimpleNamespace, tmp_path: Path
) -> None:
    assert main(["claims", "t", "t", "--json", "new/all.json", "--delta", "0.5", "3"]) == 0
    assert len(json.loads((tmp_path / "new" / "all.json").read_text())["verdicts"]) == 2
    assert not (tmp_path / "results" / "t" / "claims.json").exists()
    assert judged.deltas == [(0.5, 3.0)] * 2


def test_claims_of_an_object_store_are_written_here(
    judged: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("robustness.commands.stored.load", lambda *_: SimpleNamespace(root=Place("s3://bucket/t?x=1")))
    monkeypatch.setattr("robustness.commands.evaluation.Store", lambda root, **_: root)
    assert main(["claims", "s3://bucket/t"]) == 0
    assert (tmp_path / "t-claims.json").exists()


@pytest.mark.parametrize(
    ("outcome", "made_for", "code"),
    [
        ("contradicted", True, 1),
        ("contradicted", False, 0),
        ("reproduced", True, 0),
        ("undecided", True, 0),
        ("no data", True, 0),
    ],
)
def test_strict_fails_only_where_a_claim_that_the_study_is_for_is_contradicted(
    judged: SimpleNamespace, capsys: pytest.CaptureFixture[str], outcome: Outcome, made_for: bool, code: int
) -> None:
    judged.verdicts = [verdict("a", "reproduced", made_for=True), verdict("b", outcome, made_for=made_for)]
    assert main(["claims", "t", "--strict"]) == code
    assert ("t contradicts b: why b" in capsys.readouterr().err) == bool(code)
    assert main(["claims", "t"]) == 0


def test_claims_says_of_all_why_there_are_no_data_only_where_asked(
    judged: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    judged.verdicts = [verdict("a", "reproduced"), verdict("b", "no data")]
    main(["claims", "t"])
    assert "No data for 1 more" in capsys.readouterr().out
    main(["claims", "t", "--all"])
    assert "No data for" not in capsys.readouterr().out


@pytest.mark.parametrize("delta", ["0", "-1", "x", "nan", "inf"])
def test_a_delta_is_a_number_above_zero(delta: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["claims", "t", f"--delta={delta}"])
    assert stopped.value.code == 2
    assert f"must be a number above 0, got {delta}" in capsys.readouterr().err


@pytest.fixture
def pictures(judged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The module that draws, which draws figure 11 and leaves out figure 12."""
    from analysis.figures import files

    calls = []

    def write(root: str, out: Path, figures: list[str] | None = None, kind: str = "svg") -> files.Written:
        calls.append((root, out, figures, kind))
        chosen = figures or ["11", "12"]
        left = {name: "no warm restarts" for name in chosen if name != "11"}
        return files.Written([out / f"figure-{name}.{kind}" for name in chosen if name not in left], left)

    monkeypatch.setattr(files, "write_figures", write)
    return calls


def test_figures_go_below_the_study_and_say_what_is_left_out(
    pictures: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(tmp_path / "results" / "t")
    assert main(["figures", "t"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [f"{root}/figures/figure-11.svg"]
    assert captured.err == "12: not drawn, no warm restarts\n"
    assert main(["figures", "t", "--figure", "11", "--out", str(tmp_path / "new"), "--format", "pdf"]) == 0
    assert [(str(of), *rest) for of, *rest in pictures] == [
        (root, tmp_path / "results" / "t" / "figures", None, "svg"),
        (root, tmp_path / "new", ["11"], "pdf"),
    ]


def test_a_figure_that_was_asked_for_and_left_out_is_a_failure(
    pictures: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figures", "t", "--figure", "11", "12"]) == 1
    assert main(["figures", "t", "--figure", "99"]) == 2
    assert "no figure is called 99; there are 1, " in capsys.readouterr().err
    assert len(pictures) == 1


def test_compare_writes_a_page_and_prints_its_table(
    judged: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.report import report, side_by_side

    seen: list[object] = []
    one = SimpleNamespace(contents=SimpleNamespace(verdicts=judged.verdicts))
    monkeypatch.setattr(
        side_by_side, "read", lambda roots: noted(seen, [str(each) for each in roots], [one] * len(roots))
    )
    monkeypatch.setattr(side_by_side, "comparison_text", lambda compared: f"table of {len(compared)}")
    monkeypatch.setattr(report, "write_comparison", lambda compared, out: noted(seen, (len(compared), str(out)), out))
    assert main(["compare", "t", "results/t", "--json", "c.json"]) == 0
    root = str(tmp_path / "results" / "t")
    assert seen == [[root, root], (2, "compare.html")]
    assert "table of 2" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "c.json").read_text())["verdicts"]) == 2
    assert main(["compare", "t"]) == 2
    assert "at least two studies" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["claims", "figures", "report"])
def test_looking_at_nothing_names_what_there_is(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "absent", "--results", str(tmp_path)]) == 1
    assert "no results of absent" in capsys.readouterr().err
