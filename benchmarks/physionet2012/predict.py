"""Predictions for the test stays by whichever version of the package is imported, kept for a comparison between versions.

``PYTHONPATH=checkout-of-a-version python predict.py set-a.tar.gz --seeds 0,1,2 --folder FOLDER`` writes one file a seed, and
fits no seed whose file is there. It uses only what every version has.
"""

import argparse
import os
from pathlib import Path

import numpy as np

from cndts.datasets import read_physionet2012
from cndts.estimators import HybridMemoryForecaster
from cndts.protocols import protocol


def main() -> None:
    """Fit and predict seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    split = protocol("t-patchgnn/physionet2012").split(read_physionet2012(options.data))
    (X, y), (X_val, y_val), (X_test, y_test) = split.train, split.validation, split.test
    for seed in options.seeds.split(","):
        kept = options.folder / f"seed-{seed}.npz"
        if kept.exists():
            continue
        model = HybridMemoryForecaster(random_state=int(seed)).fit(X, y, X_val=X_val, y_val=y_val)
        part = kept.with_name(f"unfinished-{seed}.npz")
        np.savez(part, value=np.asarray(model.predict(X_test)), true=y_test.value)
        os.replace(part, kept)


if __name__ == "__main__":
    main()
