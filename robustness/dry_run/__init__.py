"""What of a study is one's own, tried before anything is trained, against the plain loop that one would write in torch.

Source of the principle: what is brought is trained as torch would train it, or is refused once, by name.
"""

from __future__ import annotations

from robustness.dry_run.runner import DryRunError, dry_run, own_pieces, said_before

__all__ = ["DryRunError", "dry_run", "own_pieces", "said_before"]
