"""Published results on simulated data: Physiome-ODE, pendulums, spirals."""

import pandas as pd

from cndts.protocols._published import SECONDARY, published_table

_PHYSIOME = dict.fromkeys(
    ("README",), "leaderboard of the Physiome-ODE repository (Klötergens et al., ICLR 2025), five folds"
)
_MODELS = ("GRU-ODE-Bayes", "LinODENet", "CRU", "Neural_Flow", "GraFITi", "GraFITi-C")
# data set, then MSE and its deviation of each of these models
_PHYSIOME_ODE = """
DUP01 1.037 .047 .964 .036 .958 .038 1.030 .046 .955 .037 .951 .036
WOL01  .952 .035 .806 .027 .814 .029  .841 .029 .787 .028 .784 .030
VAN01  .321 .023 .250 .006 .253 .005  .250 .006 .246 .005 .242 .006
LEN01 1.028 .060 .387 .071 .754 .157 1.009 .061 .607 .055 .970 .063
LI01  1.067 .015 .084 .009 .175 .020  .979 .049 .202 .013 .742 .010
PUR01  .703 .058 .106 .006 .353 .083  .654 .102 .153 .006 .476 .020
HOD01  .851 .118 .441 .043 .409 .049  .701 .077 .493 .046 .609 .056
PHI01  .674 .030 .131 .014 .133 .020  .635 .158 .222 .013 .345 .015
CAL01 1.049 .055 .078 .009 .158 .008  .867 .014 .179 .012 .643 .024
WOD01  .612 .072 .154 .016 .113 .017  .510 .060 .164 .013 .344 .016
LEN02  .297 .071 .039 .005 .059 .012  .380 .141 .099 .021 .143 .022
WOL03  .859 .114 .073 .010 .177 .016  .479 .107 .105 .016 .247 .032
"""
# model, number of the fifty sets that it wins (ties counted), average rank among the six
_PHYSIOME_RANKS = """
GRU-ODE-Bayes  0 nan 5.90 nan
LinODENet     25 nan 2.10 nan
CRU            8 nan 2.82 nan
Neural_Flow    2 nan 4.82 nan
GraFITi       10 nan 2.20 nan
GraFITi-C     15 nan 2.86 nan
"""
PHYSIOME_SETS = tuple(line.split()[0] for line in _PHYSIOME_ODE.strip().splitlines())

_SIMULATED = {
    "collated": "collated from the papers by a secondary source, not checked against them",
    "S5": "rerun in the S5 paper (Smith et al., ICLR 2023), from a secondary source",
    "third": "third party, from a secondary source",
    "secondary": SECONDARY,
}
# model, MSE and its deviation in 1e-3
_PENDULUM = """
RoMAE          3.32  .13
S5             3.41  .27
CRU_(rerun)    3.94  .21  S5
S5-append      4.13  .43
CRU            4.63 1.07
RKN_with_time_gaps 5.09 .40
GRU_with_time_gaps 5.44 .99
f-CRU          6.16  .88
S5-drop        6.68  .38
ODE-RNN        7.26  .41
RKN            8.43  .61
GRU            9.44 1.00
GRU-ODE-Bayes  9.78 3.40
Mamba_(best_of_several) 10.3 nan third
Mamba_(worst_of_several) 13.4 nan third
Latent_ODE    15.70 2.85
mTAND         65.64 4.05
"""
# model, RMSE and its deviation in 1e-2
_SPIRALS = """
Transformer  1.37  .14
Latent_ODE   2.09  .22
ContiFormer   .49  .06
"""


def physiome_ode(data_set: str | None) -> pd.DataFrame:
    """Results on one of the twelve sets that are written down here; no row for any other."""
    lines = [line.split() for line in _PHYSIOME_ODE.strip().splitlines() if line.split()[0] == data_set]
    rows = [
        f"{model} {value} {deviation}"
        for line in lines
        for model, value, deviation in zip(_MODELS, line[1::2], line[2::2], strict=True)
    ]
    return published_table("\n".join(rows), (("mse", 1.0),), _PHYSIOME, "README")


def physiome_ode_ranks() -> pd.DataFrame:
    """Sets won and average rank over all fifty sets."""
    table = published_table(_PHYSIOME_RANKS, (("wins", 1.0), ("average_rank", 1.0)), _PHYSIOME, "README")
    return table.drop(columns=["wins_std", "average_rank_std"])


def pendulum() -> pd.DataFrame:
    """Sine and cosine of the angle from images; printed in 1e-3."""
    return published_table(_PENDULUM, (("mse", 1e-3),), _SIMULATED, "collated")


def spirals() -> pd.DataFrame:
    """Two-dimensional spirals; the root of the mean squared distance, printed in 1e-2."""
    return published_table(_SPIRALS, (("rmse", 1e-2),), _SIMULATED, "secondary")
