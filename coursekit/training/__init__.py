"""Training and evaluation on any device, by any number of processes."""

from coursekit.training.boundary_sensitive import (
    BoundarySensitiveConfig,
    BoundarySensitiveObjective,
)
from coursekit.training.config import FitConfig
from coursekit.training.evaluation import Evaluation, evaluate
from coursekit.training.landmarks import LandmarkConfig, LandmarkObjective
from coursekit.training.loop import FitResult, fit
from coursekit.training.multi_task import MultiTaskConfig, MultiTaskObjective
from coursekit.training.objective import (
    Objective,
    ObjectiveConfig,
    ParsingConfig,
    ParsingObjective,
    Score,
    Sums,
)
from coursekit.training.pieces import Pieces

__all__ = [
    "BoundarySensitiveConfig",
    "BoundarySensitiveObjective",
    "Evaluation",
    "FitConfig",
    "FitResult",
    "LandmarkConfig",
    "LandmarkObjective",
    "MultiTaskConfig",
    "MultiTaskObjective",
    "Objective",
    "ObjectiveConfig",
    "ParsingConfig",
    "ParsingObjective",
    "Pieces",
    "Score",
    "Sums",
    "evaluate",
    "fit",
]
