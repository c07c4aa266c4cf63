"""Data sets: readers for files in their publishers' formats and generators with known ground truth.

The verb says where the data comes from: ``read_`` takes files that are already on disk, ``make_`` generates.
"""

if __name__ == "datasets":
    raise ImportError(
        "this is the source folder of cndts.datasets, found because Python was started in the "
        "repository root; import cndts.datasets, or start Python elsewhere (or with -P) to "
        "reach an installed 'datasets' package"
    )

from cndts.datasets._batteryless import read_batteryless
from cndts.datasets._data_warning import DataWarning
from cndts.datasets._ghcn_daily import read_ghcn_daily
from cndts.datasets._icu import make_icu
from cndts.datasets._icu_truth import IcuTruth
from cndts.datasets._oscillator_truth import OscillatorTruth
from cndts.datasets._oscillators import make_oscillators
from cndts.datasets._physionet2012 import read_physionet2012
from cndts.datasets._read_counts import ReadCounts
from cndts.datasets._recall import make_recall
from cndts.datasets._recall_truth import RecallTruth
from cndts.datasets._report import ReadReport
from cndts.datasets._ticks import read_ticks
from cndts.datasets._ushcn_legacy import read_ushcn_legacy

__all__ = [
    "DataWarning",
    "IcuTruth",
    "OscillatorTruth",
    "ReadCounts",
    "ReadReport",
    "RecallTruth",
    "make_icu",
    "make_oscillators",
    "make_recall",
    "read_batteryless",
    "read_ghcn_daily",
    "read_physionet2012",
    "read_ticks",
    "read_ushcn_legacy",
]
