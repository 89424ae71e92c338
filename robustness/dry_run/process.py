"""The process in which a study is tried: it reads the study from its input, and writes what it found."""

from __future__ import annotations

import json
import os
import pickle
import sys
import warnings


def main() -> None:
    """Read a line of JSON (the path of modules) and a pickled study; write findings as JSON to where output went."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What the study's own code prints is no finding.
    os.dup2(2, 1)
    source = sys.stdin.buffer
    sys.path[:] = json.loads(source.readline())
    study = pickle.loads(source.read())  # noqa: S301 - it comes from the process that started this one
    import torch

    from robustness.dry_run.pieces import tried

    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = tried(study)
    json.dump([finding.plain() for finding in found], answer)
    answer.close()


if __name__ == "__main__":
    main()
