"""Fitting of networks."""

from cndts.training.adaptation import AdaptationResult, adapt_network
from cndts.training.ensemble import Ensemble
from cndts.training.fitting import FitResult, fit_network
from cndts.training.gap_samples import Gaps, GapSamples
from cndts.training.network import Network, NetworkOutput
from cndts.training.samples import Sample, Samples
from cndts.training.settings import Training
from cndts.training.validation_score import ValidationScore, validation_score
from cndts.training.weight_average import WeightAverage

__all__ = [
    "AdaptationResult",
    "Ensemble",
    "FitResult",
    "GapSamples",
    "Gaps",
    "Network",
    "NetworkOutput",
    "Sample",
    "Samples",
    "Training",
    "ValidationScore",
    "WeightAverage",
    "adapt_network",
    "fit_network",
    "validation_score",
]
