"""Published results under the protocols, as their sources print them."""

import pandas as pd

_SOURCES = {
    "t-PatchGNN": "t-PatchGNN paper table (Zhang et al., ICML 2024), also in the authors' repository",
    "GraFITi": "authors' rerun in the GraFITi repository",
    "IMTS-Mixer": "IMTS-Mixer paper (arXiv 2502.11816 v3)",
    "secondary": "secondary source, not checked against the paper",
}

# model (_ for a space), MSE and std in 1e-3, MAE and std in 1e-2, key of the source
_T_PATCHGNN_PHYSIONET2012 = """
DLinear         41.86  .05  15.52  .03  t-PatchGNN
TimesNet        16.48  .11   6.14  .03  t-PatchGNN
PatchTST        12.00  .23   6.02  .14  t-PatchGNN
Crossformer      6.66  .11   4.81  .11  t-PatchGNN
Graph_WaveNet    6.04  .28   4.41  .11  t-PatchGNN
MTGNN            6.26  .18   4.46  .07  t-PatchGNN
StemGNN          6.86  .28   4.76  .19  t-PatchGNN
CrossGNN         7.22  .36   4.96  .12  t-PatchGNN
FourierGNN       6.84  .35   4.65  .12  t-PatchGNN
GRU-D            5.59  .09   4.08  .05  t-PatchGNN
SeFT             9.22  .18   5.40  .08  t-PatchGNN
Raindrop         9.82  .08   5.57  .06  t-PatchGNN
Warpformer       5.94  .35   4.21  .12  t-PatchGNN
mTAND            6.23  .24   4.51  .17  t-PatchGNN
Latent_ODE       6.05  .57   4.23  .26  t-PatchGNN
CRU              8.56  .26   5.16  .09  t-PatchGNN
Neural_Flow      7.20  .07   4.67  .04  t-PatchGNN
t-PatchGNN       4.98  .08   3.72  .03  t-PatchGNN
GraFITi          4.89  .12   3.65  .09  GraFITi
IMTS-Mixer       4.88  .03    nan  nan  IMTS-Mixer
KAFNet            nan  nan   3.52  nan  secondary
VIMTS_pretrained 4.81 .07   3.54  .04  secondary
ViRe             4.86  nan   3.58  nan  secondary
"""


def t_patchgnn_physionet2012() -> pd.DataFrame:
    """Results for PhysioNet 2012, 24 h of context and 24 h of targets, in the units of the metrics."""
    rows = [line.split() for line in _T_PATCHGNN_PHYSIONET2012.strip().splitlines()]
    numbers = [
        [float(number) * unit for number, unit in zip(row[1:5], (1e-3, 1e-3, 1e-2, 1e-2), strict=True)] for row in rows
    ]
    table = pd.DataFrame(
        numbers, columns=["mse", "mse_std", "mae", "mae_std"], index=[row[0].replace("_", " ") for row in rows]
    )
    table["source"] = [_SOURCES[row[5]] for row in rows]
    return table.rename_axis("model")
