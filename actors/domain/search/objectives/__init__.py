"""What counts as better: one objective per file, or a user's own function as ``module:function``."""

from actors.domain.search.objectives.base import Judgement, Metrics, Objective, UserObjective, judge, load

__all__ = ["Judgement", "Metrics", "Objective", "UserObjective", "judge", "load"]
