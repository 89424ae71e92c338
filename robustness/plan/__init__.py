"""What a study will cost before it is run: runs, stored runs, hours and money, from what earlier runs took."""

from robustness.plan.planning import Plan, Share, plan
from robustness.plan.stored_pace import StoredPace

__all__ = ["Plan", "Share", "StoredPace", "plan"]
