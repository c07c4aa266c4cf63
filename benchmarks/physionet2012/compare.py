"""Two folders of `predict.py` compared: ``python compare.py set-a.tar.gz --folder NEW --against OLD --json OUT``."""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cndts import Targets
from cndts.benchmarking import reference_means, score_skill
from cndts.benchmarking._exchange import write_json
from cndts.datasets import read_physionet2012
from cndts.metrics import mean_absolute_error, mean_squared_error, paired_bootstrap
from cndts.protocols import protocol


def main() -> None:
    """Print and keep scores by seed, and the differences with 95 % intervals from resampling stays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    split = protocol("t-patchgnn/physionet2012").split(read_physionet2012(options.data))
    means, y = reference_means(split.train[1]), split.test[1]
    new, old = (predictions(folder, y.value) for folder in (options.folder, options.against))
    result = {"model": scores(y, new, means), "against": scores(y, old, means), "difference": {}}
    for metric in ("mae", "mse", "skill"):
        result["difference"][metric] = vars(paired_bootstrap(y, new, old, metric=metric, means=means))
    write_json(options.json, result)
    print(json.dumps(result, indent=1))


def predictions(folder: Path, true: NDArray) -> list[NDArray]:
    """What each seed predicts, for the same targets."""
    found = []
    for path in sorted(folder.glob("seed-*.npz")):
        with np.load(path) as file:
            np.testing.assert_allclose(file["true"], true)
            found.append(file["value"])
    if not found:
        raise SystemExit(f"{folder} holds no predictions (seed-*.npz); run predict.py with --folder {folder} first.")
    return found


def scores(y: Targets, seeds: list[NDArray], means: NDArray) -> dict[str, list[float]]:
    """Scores of each seed under the protocol's averaging."""
    return {
        "mae": [mean_absolute_error(y, value, average="channel") for value in seeds],
        "mse": [mean_squared_error(y, value, average="channel") for value in seeds],
        "skill": [score_skill(y, value, means) for value in seeds],
    }


if __name__ == "__main__":
    main()
