"""Training and evaluation on any device, by any number of processes."""

from coursekit.training.evaluation import Evaluation, evaluate
from coursekit.training.loop import FitConfig, FitResult, fit

__all__ = ["Evaluation", "FitConfig", "FitResult", "evaluate", "fit"]
