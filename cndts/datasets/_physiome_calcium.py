"""Calcium oscillations, a set of Physiome-ODE."""

from collections.abc import Sequence
from math import pow

from cndts.datasets._physiome_model import PhysiomeModel


def _release_induced_by_calcium(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """Dupont, Berridge and Goldbeter, Cell Calcium 12:73-85, 1991: release of calcium that calcium induces.

    Z' = v0 + v1 beta - v2 + v3 + kf Y - k Z and Y' = v2 - v3 - kf Y, with the pump v2 = VM2 Z^n / (K2^n + Z^n) and the release
    v3 = VM3 Y^m / (KR^m + Y^m) Z^p / (KA^p + Z^p). Z is the calcium of the cytosol and Y that of the store.
    """
    z, y = x
    v0, v1, beta, vm2, vm3, kr, ka, kf, k, k2, n, m, p = c
    pumped, activated, filled = pow(z, n), pow(z, p), pow(y, m)
    v2 = vm2 * pumped / (pow(k2, n) + pumped)
    v3 = vm3 * filled / (pow(kr, m) + filled) * activated / (pow(ka, p) + activated)
    exchange = v2 - v3 - kf * y
    return [v0 + v1 * beta - exchange - k * z, exchange]


CALCIUM = {
    "DUP01": PhysiomeModel(
        source="dupont_1991a",
        field=_release_induced_by_calcium,
        start={"Z": 0.52, "Y": 0.93},
        constants={
            "v0": 1,
            "v1": 7.3,
            "beta": 0.6,
            "VM2": 65,
            "VM3": 500,
            "KR": 2,
            "KA": 0.9,
            "kf": 1,
            "k": 10,
            "K2": 1,
            "n": 2,
            "m": 2,
            "p": 4,
        },
        units=dict.fromkeys(("Z", "Y"), "uM"),
        time_unit="s",
        simulated=30,
        start_spread=0.3,
        constant_spread=0.05,
    )
}
