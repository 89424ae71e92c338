"""What a study will cost before it is run: runs, stored runs, hours and money, from what earlier runs took."""

from robustness.plan.planning import Part, Plan, plan
from robustness.plan.stored_pace import Pace

__all__ = ["Pace", "Part", "Plan", "plan"]
