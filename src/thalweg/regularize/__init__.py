"""Regularization: who decays, noise while training, constraints, averages of weights, and when to stop."""

from thalweg.regularize.groups import groups
from thalweg.regularize.kinds import Member
from thalweg.regularize.plan import GroupPlan, explain

__all__ = ["GroupPlan", "Member", "explain", "groups"]
