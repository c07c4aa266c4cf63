"""Data sets: readers for files in their publishers' formats and generators with known ground truth.

The verb says where the data comes from: ``read_`` takes files that are already on disk, ``make_`` generates.
"""

if __name__ == "datasets":
    raise ImportError(
        "this is the source folder of cndts.datasets, found because Python was started in the "
        "repository root; import cndts.datasets, or start Python elsewhere (or with -P) to "
        "reach an installed 'datasets' package"
    )

from cndts.datasets._data_warning import DataWarning
from cndts.datasets._icu import make_icu
from cndts.datasets._icu_truth import IcuTruth
from cndts.datasets._oscillator_truth import OscillatorTruth
from cndts.datasets._oscillators import make_oscillators
from cndts.datasets._physionet2012 import read_physionet2012
from cndts.datasets._report import ReadReport

__all__ = [
    "DataWarning",
    "IcuTruth",
    "OscillatorTruth",
    "ReadReport",
    "make_icu",
    "make_oscillators",
    "read_physionet2012",
]
