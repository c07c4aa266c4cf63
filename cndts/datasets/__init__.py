"""Data sets: readers for files in their publishers' formats and generators with known ground truth.

The verb says where the data comes from: ``read_`` takes files that are already on disk, ``fetch_`` downloads and reads,
``make_`` generates.
"""

if __name__ == "datasets":
    raise ImportError(
        "this is the source folder of cndts.datasets, found because Python was started in the "
        "repository root; import cndts.datasets, or start Python elsewhere (or with -P) to "
        "reach an installed 'datasets' package"
    )

from cndts.datasets._air_quality import read_air_quality
from cndts.datasets._batteryless import read_batteryless
from cndts.datasets._beijing_air import read_beijing_air
from cndts.datasets._data_warning import DataWarning
from cndts.datasets._fetch import (
    fetch_air_quality,
    fetch_batteryless,
    fetch_beijing_air,
    fetch_human_activity,
    fetch_physionet2012,
    fetch_physionet2019,
    fetch_ushcn,
)
from cndts.datasets._fetch_oanda_ticks import fetch_oanda_ticks
from cndts.datasets._fetch_plasticc import fetch_plasticc
from cndts.datasets._fetch_sporadic_csv import fetch_sporadic_csv
from cndts.datasets._fetch_ushcn_legacy import fetch_ushcn_legacy
from cndts.datasets._ghcn_daily import read_ghcn_daily
from cndts.datasets._hodgkin_huxley import make_hodgkin_huxley
from cndts.datasets._human_activity import read_human_activity
from cndts.datasets._icu import make_icu
from cndts.datasets._icu_truth import IcuTruth
from cndts.datasets._light_curves import read_light_curves
from cndts.datasets._lobster import read_lobster
from cndts.datasets._lorenz import make_lorenz
from cndts.datasets._lotka_volterra import make_lotka_volterra
from cndts.datasets._mimic import read_mimic
from cndts.datasets._ode_truth import OdeTruth
from cndts.datasets._oscillator_truth import OscillatorTruth
from cndts.datasets._oscillators import make_oscillators
from cndts.datasets._pendulum import make_pendulum
from cndts.datasets._physiome import make_physiome
from cndts.datasets._physionet2012 import read_physionet2012
from cndts.datasets._physionet2019 import read_physionet2019
from cndts.datasets._physionet_style import read_physionet_style
from cndts.datasets._read_counts import ReadCounts
from cndts.datasets._recall import make_recall
from cndts.datasets._recall_truth import RecallTruth
from cndts.datasets._regime_ticks import make_regime_ticks
from cndts.datasets._regime_truth import RegimeTruth
from cndts.datasets._report import ReadReport
from cndts.datasets._spiral_truth import SpiralTruth
from cndts.datasets._spirals import make_spirals
from cndts.datasets._ticks import read_ticks
from cndts.datasets._ushcn_legacy import read_ushcn_legacy
from cndts.datasets._wfdb import read_wfdb

__all__ = [
    "DataWarning",
    "IcuTruth",
    "OdeTruth",
    "OscillatorTruth",
    "ReadCounts",
    "ReadReport",
    "RecallTruth",
    "RegimeTruth",
    "SpiralTruth",
    "fetch_air_quality",
    "fetch_batteryless",
    "fetch_beijing_air",
    "fetch_human_activity",
    "fetch_oanda_ticks",
    "fetch_physionet2012",
    "fetch_physionet2019",
    "fetch_plasticc",
    "fetch_sporadic_csv",
    "fetch_ushcn",
    "fetch_ushcn_legacy",
    "make_hodgkin_huxley",
    "make_icu",
    "make_lorenz",
    "make_lotka_volterra",
    "make_oscillators",
    "make_pendulum",
    "make_physiome",
    "make_recall",
    "make_regime_ticks",
    "make_spirals",
    "read_air_quality",
    "read_batteryless",
    "read_beijing_air",
    "read_ghcn_daily",
    "read_human_activity",
    "read_light_curves",
    "read_lobster",
    "read_mimic",
    "read_physionet2012",
    "read_physionet2019",
    "read_physionet_style",
    "read_ticks",
    "read_ushcn_legacy",
    "read_wfdb",
]
