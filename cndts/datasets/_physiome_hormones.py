"""Hormones: cortisol and insulin, sets of Physiome-ODE."""

from collections.abc import Sequence
from math import cos, exp

from cndts.datasets._physiome_model import PhysiomeModel


def _cortisol(t: float, s: Sequence[float], c: Sequence[float]) -> list[float]:
    """Lenbury and Pacheenburawana, BioSystems 26:117-125, 1991: secretion of cortisol under a driving rhythm.

    x' = alpha exp(a (1 - z^2) + b (1 - y^2)) + D cos(omega t) - alpha x, z' = gamma (y - z) and
    y' = beta (x exp(b (1 - z^2)) - y), all without dimension.
    """
    x, z, y = s
    alpha, omega, d, a, b, beta, gamma = c
    inhibited = 1 - z * z
    return [
        alpha * exp(a * inhibited + b * (1 - y * y)) + d * cos(omega * t) - alpha * x,
        gamma * (y - z),
        beta * (x * exp(b * inhibited) - y),
    ]


def _insulin(t: float, s: Sequence[float], c: Sequence[float]) -> list[float]:
    """Lenbury, Ruktamatakul and Amornsamarnkul, BioSystems 59:15-25, 2001: insulin x, glucose y and beta cells z.

    x' = z (r1 y - r2 x + c1), y' = epsilon (r3 / z - r4 x + c2) and
    z' = (r5 (y - y_hat) + r6 z) (z_hat - z) - r7 z, all without dimension.
    """
    x, z, y = s
    r1, r2, c1, r3, r4, c2, epsilon, r5, r6, r7, z_hat, y_hat = c
    return [
        z * (r1 * y - r2 * x + c1),
        (r5 * (y - y_hat) + r6 * z) * (z_hat - z) - r7 * z,
        epsilon * (r3 / z - r4 * x + c2),
    ]


HORMONES = {
    "LEN01": PhysiomeModel(
        source="lenbury_pacheenburawana_1991",
        field=_cortisol,
        start={"x": 1.5, "z": 1.0, "y": 0.95},
        constants={"alpha": 0.5, "omega": 2, "D": 0.8228, "a": 8.1252, "b": 1.091, "beta": 0.38, "gamma": 0.6},
        units={},
        time_unit="s",
        simulated=30,
        start_spread=0.1,
        constant_spread=0.1,
    ),
    "LEN02": PhysiomeModel(
        source="lenbury_ruktamatakul_amornsamarnkul_2001_a",
        field=_insulin,
        start={"x": 4.0, "z": 1.0, "y": 0.0},
        constants={
            "r1": 0.2,
            "r2": 0.1,
            "c1": 0.1,
            "r3": 0.1,
            "r4": 0.1,
            "c2": 0.1,
            "epsilon": 0.1,
            "r5": 0.1,
            "r6": 0.1,
            "r7": 0.05,
            "z_hat": 2.0,
            "y_hat": 1.24,
        },
        units={},
        time_unit="s",
        simulated=30,
        start_spread=0.5,
        constant_spread=0.1,
    ),
}
