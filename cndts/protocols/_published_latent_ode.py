"""Published results under the protocols of Latent ODE on PhysioNet 2012."""

import pandas as pd

from cndts.protocols._published import published_table

_SOURCES = {
    "Latent ODE": "Latent ODE paper (Rubanova et al., NeurIPS 2019)",
    "mTAN": "mTAN paper (Shukla and Marlin, ICLR 2021)",
}
# model, MSE and its deviation in 1e-3
_INTERPOLATION = """
RNN_with_time_gaps        3.520  .276
RNN-Impute                3.243  .275
RNN-Decay                 3.215  .276
GRU-D                     3.384  .274
RNN-VAE                   5.930  .249
Latent_ODE_(RNN_encoder)  3.907  .252
ODE-RNN                   2.361  .086
Latent_ODE                2.118  .271
Latent_ODE_+_Poisson      2.789  .771
"""
_EXTRAPOLATION = """
RNN-VAE                   3.055  .145
Latent_ODE_(RNN_encoder)  3.162  .052
Latent_ODE                2.231  .029
Latent_ODE_+_Poisson      2.208  .050
"""
# model, AUROC and its deviation; lines of mTAN train on 64 % of the stays instead of 80 %
_MORTALITY = """
RNN_with_time_gaps        .787  .014
RNN-Impute                .764  .016
RNN-Decay                 .807  .003
GRU-D                     .818  .008
RNN-VAE                   .515  .040
Latent_ODE_(RNN_encoder)  .781  .018
ODE-RNN                   .833  .009
Latent_ODE                .829  .004
Latent_ODE_+_Poisson      .826  .007
Phased-LSTM               .836  nan  mTAN
IP-Nets                   .819  nan  mTAN
SeFT                      .795  nan  mTAN
mTAND-Enc                 .854  .001 mTAN
mTAND-Full                .858  .004 mTAN
"""


def latent_ode_interpolation() -> pd.DataFrame:
    """Reconstruction of all values; the mean over stays and variables, printed in 1e-3."""
    return published_table(_INTERPOLATION, (("mse", 1e-3),), _SOURCES, "Latent ODE")


def latent_ode_extrapolation() -> pd.DataFrame:
    """The second half from the first; the mean over stays and variables, printed in 1e-3."""
    return published_table(_EXTRAPOLATION, (("mse", 1e-3),), _SOURCES, "Latent ODE")


def latent_ode_mortality() -> pd.DataFrame:
    """Area under the receiver operating characteristic of in-hospital mortality, 4,000 labelled stays."""
    return published_table(_MORTALITY, (("auroc", 1.0),), _SOURCES, "Latent ODE")
