"""What may be wrong with the claims of a study file, for the table of tests/robustness/study/test_problems.py."""
# ruff: noqa: E501 - a table is read best with a row on a line

from __future__ import annotations

CLAIM = """\
cpus: 1
claims:
  - id: mine
    sentence: It does.
    measure: depth
    of: adams
    against: [plain]
    direction: less"""

CASES: dict[str, tuple[str, str, int | None, str, tuple[str, ...]]] = {
    "claims not a list": ("cpus: 1", "cpus: 1\nclaims: deeper-basin", 23, "claims", ("expected a list of claims", "'deeper-basin'")),
    "unknown claim": ("cpus: 1", "cpus: 1\nclaims:\n  - deper-basin", 24, "claims[0]", ("unknown claim 'deper-basin', did you mean 'deeper-basin' or 'wider-basin'?",)),
    "a claim like no other": ("cpus: 1", "cpus: 1\nclaims: [x]", 23, "claims[0]", ("unknown claim 'x'; the known ones are coupled-decay-is-better", "swd-costs-nothing")),
    "a claim twice": ("cpus: 1", "cpus: 1\nclaims:\n  - deeper-basin\n  - wider-basin\n  - deeper-basin", 26, "claims[2]", ("'deeper-basin' is in the list twice",)),
    "a claim of a wrong type": ("cpus: 1", "cpus: 1\nclaims: [3]", 23, "claims[0]", ("expected the id of a claim, or a mapping", "got 3")),
    "a claim with the id of another": ("cpus: 1", CLAIM.replace("mine", "deeper-basin"), 24, "claims[0].id", ("one of the paper's claims", "id alone")),
    "a claim of an unknown optimizer": ("cpus: 1", CLAIM.replace("of: adams", "of: adamz"), 27, "claims[0].of", ("no optimizer of this study is called 'adamz', did you mean 'adam' or 'adams'?", "adams, plain, adam")),
    "a claim against an unknown optimizer": ("cpus: 1", CLAIM.replace("[plain]", "[plain, sgd]"), 28, "claims[0].against[1]", ("called 'sgd'; those that there are: adams, plain, adam",)),
    "a claim without a sentence": ("cpus: 1", CLAIM.replace("    sentence: It does.\n", ""), 24, "claims[0].sentence", ("is missing",)),
    "an unknown measure": ("cpus: 1", CLAIM.replace(": depth", ": deptt"), 26, "claims[0].measure", ("must be depth, loss_depth", "or trend, got the text 'deptt'")),
    "an unknown direction": ("cpus: 1", CLAIM.replace("less", "lower"), 29, "claims[0].direction", ("must be greater, less, differs or equal", "'lower'")),
    "an unknown key of a claim": ("cpus: 1", CLAIM + "\n    marign: 1", 30, "claims[0].marign", ("unknown key, did you mean 'margin'",)),
    "an unknown condition": ("cpus: 1", CLAIM + "\n    where: {epochs: 3}", 30, "claims[0].where.epochs", ("unknown key", "epochs_at_least")),
    "a column for a depth": ("cpus: 1", CLAIM + "\n    column: train_loss", 30, "claims[0].column", ("for matched and trend alone, not for depth",)),
    "a trend of no column": ("cpus: 1", CLAIM.replace(": depth", ": trend"), 24, "claims[0].column", ("is missing: trend reads a column",)),
    "a margin for less": ("cpus: 1", CLAIM + "\n    margin: 1", 30, "claims[0].margin", ("for equal and differs alone",)),
    "equal without a margin": ("cpus: 1", CLAIM.replace("less", "equal"), 24, "claims[0].margin", ("is missing",)),
    "a margin of zero": ("cpus: 1", CLAIM.replace("less", "equal") + "\n    margin: 0", 30, "claims[0].margin", ("greater than 0, got 0",)),
    "deltas for a depth": ("cpus: 1", CLAIM + "\n    deltas: [1]", 30, "claims[0].deltas", ("no meaning for depth",)),
    "a claim against nothing": ("cpus: 1", CLAIM.replace("    against: [plain]\n", ""), 24, "claims[0].against", ("is missing: the optimizers to compare with",)),
    "a claim against itself": ("cpus: 1", CLAIM.replace("[plain]", "[adams]"), 28, "claims[0].against", ("also what the claim is of",)),
    "a claim against one twice": ("cpus: 1", CLAIM.replace("[plain]", "[plain, plain]"), 28, "claims[0].against[1]", ("'plain' is in the list twice",)),
    "a depth of several": ("cpus: 1", CLAIM.replace("of: adams", "of: [adams, adam]"), 27, "claims[0].of", ("must be one optimizer",)),
    "a bad id": ("cpus: 1", CLAIM.replace("mine", "My claim"), 24, "claims[0].id", ("a-z, 0-9 and '-'", "'My claim'")),
    "a sentence of two lines": ("cpus: 1", CLAIM.replace("It does.", '"It\\ndoes."'), 25, "claims[0].sentence", ("on one line",)),
}  # fmt: skip
