"""The two ways in which quantile functions run between their knots, with the integrals that means and scores need."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]


class ScoreScale(NamedTuple):
    r"""A score :math:`s(\tau)` in which a quantile function is linear between knots.

    Attributes
    ----------
    score : callable
        Score of a probability.
    probability : callable
        Probability of a score.
    first : callable
        :math:`\int_0^\tau s(u)\,du`, as a function of the score.
    second : callable
        :math:`\int_0^\tau s(u) (2u - 1)\,du`, as a function of the score.
    least, most : float
        Scores of the probabilities 0 and 1.
    """

    score: Callable[[Floats], Floats]
    probability: Callable[[Floats], Floats]
    first: Callable[[Floats], Floats]
    second: Callable[[Floats], Floats]
    least: float
    most: float


def _density(z: Floats) -> Floats:
    return np.exp(-0.5 * np.square(z)) / np.sqrt(2 * np.pi)


def _normal_second(z: Floats) -> Floats:
    r""":math:`\int_{-\infty}^z x (2 \Phi(x) - 1) \varphi(x)\,dx`, by parts."""
    return (1 - 2 * ndtr(z)) * _density(z) + ndtr(np.sqrt(2) * z) / np.sqrt(np.pi)


SCALES = {
    "normal": ScoreScale(ndtri, ndtr, lambda z: -_density(z), _normal_second, -np.inf, np.inf),
    "uniform": ScoreScale(
        lambda p: np.asarray(p, dtype=np.float64),
        lambda s: np.clip(s, 0.0, 1.0),
        lambda s: 0.5 * np.square(s),
        lambda s: 2 / 3 * s**3 - 0.5 * np.square(s),
        0.0,
        1.0,
    ),
}
