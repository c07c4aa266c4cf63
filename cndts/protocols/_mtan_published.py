"""Published results under the interpolation protocol of mTAN."""

import numpy as np
import pandas as pd

_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
_SOURCES = {
    "mTAND-Full": "mTAN paper (Shukla and Marlin, ICLR 2021), agrees with the figure in the authors' repository; quoted "
    "from memory, not checked against the paper",
    "L-ODE-ODE": "run by the authors of mTAN in their paper; quoted from memory, not checked against it",
}
# MSE in 1e-3 at the five shares, then its standard deviation where known
_MSE = {
    "mTAND-Full": ((4.139, 4.018, 4.157, 4.410, 4.798), (0.029, 0.048, 0.053, 0.149, 0.036)),
    "L-ODE-ODE": ((6.721, 6.816, 6.798, 6.850, 7.142), (np.nan,) * 5),
}


def mtan_physionet2012(observed: float) -> pd.DataFrame:
    """Results for PhysioNet 2012 at a share of observed rows; no row for a share that was not published."""
    at = [i for i, share in enumerate(_SHARES) if np.isclose(share, observed)]
    rows = [
        (model, mse[i] * 1e-3, std[i] * 1e-3, np.nan, np.nan, _SOURCES[model])
        for model, (mse, std) in _MSE.items()
        for i in at
    ]
    table = pd.DataFrame(rows, columns=["model", "mse", "mse_std", "mae", "mae_std", "source"])
    return table.astype(dict.fromkeys(["mse", "mse_std", "mae", "mae_std"], float)).set_index("model")
