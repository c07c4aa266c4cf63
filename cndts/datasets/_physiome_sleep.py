"""Sleep and waking, a set of Physiome-ODE."""

from collections.abc import Sequence
from math import cos, exp, pi

from cndts.datasets._physiome_model import PhysiomeModel


def _arousal(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """Phillips and Robinson, Journal of Biological Rhythms 22:167-179, 2007: two groups of neurons that silence each other.

    tau_v Vv' = v_vm Q(Vm) + D - Vv, tau_m Vm' = v_maQao + v_mv Q(Vv) - Vm and chi H' = mu Q(Vm) - H, with the firing rate
    Q(V) = Qmax / (1 + exp(-(V - theta) / sigma)) and the drive D = v_vc (c0 + cos(omega t)) + v_vh H. Vv is the potential of the
    neurons of sleep, Vm of those of waking, H what accumulates while awake; tau are in seconds, all other times in hours.
    """
    vv, vm, h = x
    tau_v, v_vm, most, theta, sigma, _, tau_m, v_mv, v_ma, chi, mu, c0, v_vc, v_vh, _, omega, _ = c
    sleeping = most / (1 + exp(-(vv - theta) / sigma))
    waking = most / (1 + exp(-(vm - theta) / sigma))
    drive = v_vc * (c0 + cos(omega * t)) + v_vh * h
    return [
        (v_vm * waking + drive - vv) * 3600 / tau_v,
        (v_ma + v_mv * sleeping - vm) * 3600 / tau_m,
        (mu * waking - h) / chi,
    ]


SLEEP = {
    "PHI01": PhysiomeModel(
        source="phillips_2007",
        field=_arousal,
        start={"Vv": 0.0, "Vm": 0.0, "H": 15.0},
        constants={
            "tau_v": 10.0,
            "v_vm": -1.9,
            "Qmax": 100.0,
            "theta": 10.0,
            "sigma": 3.0,
            "Vao": 1.0,
            "tau_m": 10.0,
            "v_mv": -1.9,
            "v_maQao": 1.0,
            "chi": 10.8,
            "mu": 3.6,
            "c0": 1.0,
            "v_vc": -6.3,
            "v_vh": 0.19,
            "Va": 1.0,
            "omega": 2 * pi / 24,
            "Qa": 100 / (1 + exp(3)),
        },
        units={"Vv": "mV", "Vm": "mV", "H": "nM"},
        time_unit="h",
        simulated=30,
        start_spread=0.1,
        constant_spread=0.1,
    )
}
