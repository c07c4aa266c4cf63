"""Fitting of networks."""

from cndts.training.adaptation import AdaptationResult, adapt_network
from cndts.training.ensemble import Ensemble
from cndts.training.fitting import AnySamples, FitResult, fit_network
from cndts.training.gap_samples import Gaps, GapSamples
from cndts.training.members import fit_members, n_processes
from cndts.training.network import Network, NetworkOutput
from cndts.training.record_ensemble import RecordEnsemble
from cndts.training.record_network import RecordLesson, RecordNetwork, RecordOutput
from cndts.training.record_samples import RecordSample, RecordSamples, record_score
from cndts.training.samples import Sample, Samples
from cndts.training.settings import Training
from cndts.training.validation_score import ValidationScore, validation_score
from cndts.training.weight_average import WeightAverage

__all__ = [
    "AdaptationResult",
    "AnySamples",
    "Ensemble",
    "FitResult",
    "GapSamples",
    "Gaps",
    "Network",
    "NetworkOutput",
    "RecordEnsemble",
    "RecordLesson",
    "RecordNetwork",
    "RecordOutput",
    "RecordSample",
    "RecordSamples",
    "Sample",
    "Samples",
    "Training",
    "ValidationScore",
    "WeightAverage",
    "adapt_network",
    "fit_members",
    "fit_network",
    "n_processes",
    "record_score",
    "validation_score",
]
