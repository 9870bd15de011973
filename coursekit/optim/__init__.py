"""Plans: an optimiser, its schedule and which weights count; three papers' and the house's.

All have the face of `Plan`, which is what `coursekit.training.fit` calls; a configuration builds
its kind.
"""

from coursekit.optim.adam_to_sgd import (
    AdamToSGD,
    AdamToSGDConfig,
    Event,
    Phase,
    Pipeline,
    cosine_rate,
)
from coursekit.optim.averaged_cosine import AveragedCosine, AveragedCosineConfig
from coursekit.optim.plan import Learner, Plan, PlanConfig
from coursekit.optim.poly import Poly, PolyConfig
from coursekit.optim.scheduled import poly_rate
from coursekit.optim.self_regulation import SelfRegulation, SelfRegulationConfig
from coursekit.optim.statistics import reestimate_statistics

__all__ = [
    "AdamToSGD",
    "AdamToSGDConfig",
    "AveragedCosine",
    "AveragedCosineConfig",
    "Event",
    "Learner",
    "Phase",
    "Pipeline",
    "Plan",
    "PlanConfig",
    "Poly",
    "PolyConfig",
    "SelfRegulation",
    "SelfRegulationConfig",
    "cosine_rate",
    "poly_rate",
    "reestimate_statistics",
]
