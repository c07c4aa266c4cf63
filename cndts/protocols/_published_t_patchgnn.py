"""Published results under the protocols of t-PatchGNN."""

import pandas as pd

from cndts.protocols._published import SECONDARY, published_table

_SOURCES = {
    "t-PatchGNN": "t-PatchGNN paper table (Zhang et al., ICML 2024), also in the authors' repository",
    "GraFITi": "authors' rerun in the GraFITi repository",
    "IMTS-Mixer": "IMTS-Mixer paper (arXiv 2502.11816 v3)",
    "KAFNet": "rerun in the KAFNet paper (AAAI 2026), from a secondary source",
    "secondary": SECONDARY,
    "unpublished": "unpublished, from a secondary source",
}

# model, MSE and its deviation, MAE and its deviation, source
_PHYSIONET2012 = """
DLinear         41.86  .05  15.52  .03
TimesNet        16.48  .11   6.14  .03
PatchTST        12.00  .23   6.02  .14
Crossformer      6.66  .11   4.81  .11
Graph_WaveNet    6.04  .28   4.41  .11
MTGNN            6.26  .18   4.46  .07
StemGNN          6.86  .28   4.76  .19
CrossGNN         7.22  .36   4.96  .12
FourierGNN       6.84  .35   4.65  .12
GRU-D            5.59  .09   4.08  .05
SeFT             9.22  .18   5.40  .08
Raindrop         9.82  .08   5.57  .06
Warpformer       5.94  .35   4.21  .12
mTAND            6.23  .24   4.51  .17
Latent_ODE       6.05  .57   4.23  .26
CRU              8.56  .26   5.16  .09
Neural_Flow      7.20  .07   4.67  .04
t-PatchGNN       4.98  .08   3.72  .03
GraFITi          4.89  .12   3.65  .09  GraFITi
IMTS-Mixer       4.88  .03    nan  nan  IMTS-Mixer
KAFNet            nan  nan   3.52  nan  secondary
GraFITi_(KAFNet)  nan  nan   3.73  nan  KAFNet
t-PatchGNN_(KAFNet) nan nan  3.89  nan  KAFNet
TimeCHEAT         nan  nan   3.89  nan  KAFNet
Warpformer_(KAFNet) nan nan  4.21  nan  KAFNet
VIMTS_pretrained 4.81  .07   3.54  .04  secondary
ViRe             4.86  nan   3.58  nan  secondary
"""
_HUMAN_ACTIVITY = """
DLinear          4.03  .01   4.21  .01
TimesNet         3.12  .01   3.56  .02
PatchTST         4.29  .14   4.80  .09
Crossformer      4.29  .20   4.89  .17
Graph_WaveNet    2.89  .03   3.40  .05
MTGNN            3.03  .03   3.53  .03
StemGNN          8.81  .37   6.90  .02
CrossGNN         3.03  .10   3.48  .08
FourierGNN       2.99  .02   3.42  .02
GRU-D            2.94  .05   3.53  .06
SeFT            12.20  .17   8.43  .07
Raindrop        14.92  .14   9.45  .05
Warpformer       2.79  .04   3.39  .03
mTAND            3.22  .07   3.81  .07
Latent_ODE       3.34  .11   3.94  .12
CRU              6.97  .78   6.30  .47
Neural_Flow      4.05  .13   4.46  .09
t-PatchGNN       2.66  .03   3.15  .02
GraFITi          2.65  .02   3.09  .02  GraFITi
IMTS-Mixer       2.50  .01    nan  nan  IMTS-Mixer
KAFNet           2.54  nan    nan  nan  secondary
GraFITi_(KAFNet) 2.73  nan    nan  nan  KAFNet
t-PatchGNN_(KAFNet) 2.76 nan  nan  nan  KAFNet
TimeCHEAT        4.06  nan    nan  nan  KAFNet
Warpformer_(KAFNet) 2.79 nan  nan  nan  KAFNet
VIMTS_pretrained 2.65  .01   3.08  .01  secondary
ViRe             2.55  nan   3.09  nan  secondary
"""
_USHCN = """
DLinear          6.21  .00   3.88  .02
TimesNet         5.58  .05   3.60  .04
PatchTST         5.75  .01   3.57  .02
Crossformer      5.25  .04   3.27  .09
Graph_WaveNet    5.29  .04   3.16  .09
MTGNN            5.39  .05   3.34  .02
StemGNN          5.75  .09   3.40  .09
CrossGNN         5.66  .04   3.53  .05
FourierGNN       5.82  .06   3.62  .07
GRU-D            5.54  .38   3.40  .28
SeFT             5.80  .19   3.70  .11
Raindrop         5.78  .22   3.67  .17
Warpformer       5.25  .05   3.23  .05
mTAND            5.33  .05   3.26  .10
Latent_ODE       5.62  .03   3.60  .12
CRU              6.09  .17   3.54  .18
Neural_Flow      5.35  .05   3.25  .05
t-PatchGNN       5.00  .04   3.08  .04
GraFITi          5.17  .11   3.22  .24  GraFITi
IMTS-Mixer       4.91  .05    nan  nan  IMTS-Mixer
KAFNet           4.98  nan   2.99  nan  secondary
GraFITi_(KAFNet)  nan  nan   3.09  nan  KAFNet
t-PatchGNN_(KAFNet) nan nan  3.09  nan  KAFNet
TimeCHEAT         nan  nan   3.10  nan  KAFNet
Warpformer_(KAFNet) nan nan  3.23  nan  KAFNet
VIMTS_pretrained 4.86  .02    nan  nan  secondary
Hi-Patch         4.94  nan    nan  nan  secondary
TAPR             4.79  nan    nan  nan  unpublished
"""
_MILLI_AND_CENTI = (("mse", 1e-3), ("mae", 1e-2))


def t_patchgnn_physionet2012() -> pd.DataFrame:
    """Results for PhysioNet 2012, 24 h of context and 24 h of targets; printed in 1e-3 and 1e-2."""
    return published_table(_PHYSIONET2012, _MILLI_AND_CENTI, _SOURCES, "t-PatchGNN")


def t_patchgnn_human_activity() -> pd.DataFrame:
    """Results for Human Activity, 3000 ms of context and 1000 ms of targets; printed in 1e-3 and 1e-2."""
    return published_table(_HUMAN_ACTIVITY, _MILLI_AND_CENTI, _SOURCES, "t-PatchGNN")


def t_patchgnn_ushcn() -> pd.DataFrame:
    """Results for USHCN, 24 months of context and one of targets; both printed in 1e-1."""
    return published_table(_USHCN, (("mse", 1e-1), ("mae", 1e-1)), _SOURCES, "t-PatchGNN")
