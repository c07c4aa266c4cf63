"""Fair comparisons: the same records, scale and averaging for every model, and how sure a difference is."""

from cndts.benchmarking._classifiers import available_classifiers
from cndts.benchmarking._comparison import (
    channel_scores,
    compare_models,
    reference_means,
    score_distribution,
    score_skill,
)
from cndts.benchmarking._jobs import finished_jobs, run_jobs
from cndts.benchmarking._models import available_models, make_model
from cndts.benchmarking._resources import available_threads, versions
from cndts.benchmarking._result import BenchmarkResult
from cndts.benchmarking._runner import run_benchmark

__all__ = [
    "BenchmarkResult",
    "available_classifiers",
    "available_models",
    "available_threads",
    "channel_scores",
    "compare_models",
    "finished_jobs",
    "make_model",
    "reference_means",
    "run_benchmark",
    "run_jobs",
    "score_distribution",
    "score_skill",
    "versions",
]
