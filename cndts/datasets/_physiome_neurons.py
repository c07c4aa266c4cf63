"""Neurons: an axon, a dopamine neuron and a pacemaker of breathing, sets of Physiome-ODE."""

from collections.abc import Sequence
from math import cosh, exp

from cndts.datasets._physiome_model import PhysiomeModel

_PULSE = (10.0, 10.5, -20.0)  # from and to in ms, uA/cm^2


def _squid_axon(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """Hodgkin and Huxley, Journal of Physiology 117:500-544, 1952, in the signs of the paper: rest is 0, excitation negative.

    Cm V' = I - g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L) and a' = alpha (1 - a) - beta a for each gate, with rates
    of eqs. 12, 13, 20, 21, 23 and 24. A pulse of current, half a millisecond long, comes at 10 ms.
    """
    v, m, h, n = x
    _, cm, g_na, g_k, g_l, e_na, e_k, e_l = c
    current = _PULSE[2] if _PULSE[0] <= t <= _PULSE[1] else 0.0
    alpha_m = 0.1 * (v + 25) / (exp((v + 25) / 10) - 1)
    alpha_n = 0.01 * (v + 10) / (exp((v + 10) / 10) - 1)
    ionic = g_na * m**3 * h * (v - e_na) + g_k * n**4 * (v - e_k) + g_l * (v - e_l)
    return [
        (current - ionic) / cm,
        alpha_m * (1 - m) - 4 * exp(v / 18) * m,
        0.07 * exp(v / 20) * (1 - h) - h / (exp((v + 30) / 10) + 1),
        alpha_n * (1 - n) - 0.125 * exp(v / 80) * n,
    ]


def _dopamine_neuron(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """Li, Bertram and Rinzel, Neuroscience 71:397-410, 1996: bursts of soma and dendrite under NMDA.

    Cm V_s' = -I_Na - I_K - I_h - g_c / p (V_D - V_s), Cm V_D' = -I_NMDA - I_pump + I_pump_ss - I_L + g_c / (1 - p) (V_s - V_D),
    Na' = alpha (-I_Na_NMDA - 3 (I_pump - I_pump_ss)) and a' = (a_inf - a) / tau_a for the gates n and h. The pump takes the third
    power of V_D + Na as the file of the repository writes it, and as the published set was simulated.
    """
    v, d, n, h, na = x
    cm, v_na, v_k, g_k, g_na, g_c, g_h, p, v_l, alpha, _, k_p, _, q, r_pump, g_nmda, g_na_nmda, g_l, _, resting = c
    cubed = (d + na) ** 3
    pump = r_pump * p / (1 - p) * cubed / (k_p**3 + cubed) - resting
    unblocked = 1 / (1 + 0.141 * exp(-d / q))
    m = 1 / (1 + exp(-(v + 35) / 6.2))
    soma = g_na * h * (v - v_na) * m**3 + g_k * (v - v_k) * n**2 + g_h * h * (v + 30)
    dendrite = g_nmda * unblocked * d + pump + g_l * (d - v_l)
    tau_n = (0.8 + 1.6 / (1 + exp(0.1 * (v + 25)))) / (1 + exp(-0.1 * (v + 70)))
    tau_h = 0.43 + 0.86 / (1 + exp((v + 25) / 5))
    return [
        (-soma - g_c / p * (d - v)) / cm,
        (-dendrite + g_c / (1 - p) * (v - d)) / cm,
        (1 / (1 + exp(-(v + 31) / 5.3)) - n) / tau_n,
        (1 / (1 + exp((v + 30) / 8.3)) - h) / tau_h,
        alpha * (-g_na_nmda * unblocked * (d - v_na) - 3 * pump),
    ]


def _pacemaker(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """Purvis, Smith, Koizumi and Butera, Journal of Neurophysiology 97:1515-1526, 2007: a bursting neuron that drives breathing.

    C V' = i_app - g_Na m^3 (1 - n) (V - E_Na) - g_NaP m_P h (V - E_Na) - g_K n^4 (V - E_K) - g_leak (V - E_leak)
    + g_tonic (V - E_syn) and a' = (a_inf - a) cosh((V - theta_a) / 2 omega_a) / tau_a for the gates n and h, where
    a_inf = 1 / (1 + exp((V - theta_a) / omega_a)). The sign of the tonic current is that of the file of the repository.
    """
    v, n, h = x
    cap, i_app, e_na, g_na, th_m, om_m, g_k, e_k, tau_n, th_n, om_n, g_p, th_p, om_p, tau_h, th_h, om_h, *rest = c
    g_leak, e_leak, g_tonic, e_syn = rest
    m = 1 / (1 + exp((v - th_m) / om_m))
    persistent = g_p * h / (1 + exp((v - th_p) / om_p))
    current = (g_na * m**3 * (1 - n) + persistent) * (v - e_na) + g_k * n**4 * (v - e_k)
    current += g_leak * (v - e_leak) - g_tonic * (v - e_syn)
    return [
        (i_app - current / 1000) / cap,
        (1 / (1 + exp((v - th_n) / om_n)) - n) * cosh((v - th_n) / (2 * om_n)) / tau_n,
        (1 / (1 + exp((v - th_h) / om_h)) - h) * cosh((v - th_h) / (2 * om_h)) / tau_h,
    ]


NEURONS = {
    "HOD01": PhysiomeModel(
        source="hodgkin_huxley_1952_variant01",
        field=_squid_axon,
        start={"V": 0, "m": 0.05, "h": 0.6, "n": 0.325},
        constants={
            "E_R": 0,
            "Cm": 1,
            "g_Na": 120,
            "g_K": 36,
            "g_L": 0.3,
            "E_Na": -115,
            "E_K": 12,
            "E_L": -10.613,
        },
        units={"V": "mV"},
        time_unit="ms",
        simulated=30,
        start_spread=0.5,
        constant_spread=0.3,
    ),
    "LI01": PhysiomeModel(
        source="li_1996_simple",
        field=_dopamine_neuron,
        start={"V_s": -64, "V_D": -77, "n": 0.002, "h": 1, "Na": 5.09},
        constants={
            "C_m": 1,
            "V_Na": 55,
            "V_K": -85,
            "g_K_DR": 3.2,
            "g_Na": 3.2,
            "g_c": 0.1,
            "g_h": 0.1,
            "p": 0.5,
            "V_L": -50,
            "alpha": 0.173,
            "Na_eq": 8,
            "K_p": 15,
            "K_Na": 15,
            "q": 12.5,
            "R_pump": 18,
            "g_NMDA": 1.25,
            "g_Na_NMDA": 1,
            "g_L": 0.18,
            "tau_r": 190,
            "I_pump_ss": 18 * 8**3 / (15**3 + 8**3),
        },
        units={"V_s": "mV", "V_D": "mV", "Na": "mM"},
        time_unit="s",
        simulated=30,
        start_spread=0.3,
        constant_spread=0.05,
    ),
    "PUR01": PhysiomeModel(
        source="purvis_smith_koizumi_butera_2007",
        field=_pacemaker,
        start={"V": -50.0, "n": 0.01, "h": 0.92},
        constants={
            "C": 0.021,
            "i_app": 0,
            "E_Na": 50,
            "g_Na": 28,
            "theta_m": -34,
            "omega_m": -5,
            "g_K": 11.2,
            "E_K": -85,
            "tau_n": 10,
            "theta_n": -29,
            "omega_n": -4,
            "g_NaP": 2.5,
            "theta_mP": -45.1,
            "omega_mP": -6,
            "tau_h": 10000,
            "theta_h": -53,
            "omega_h": 6,
            "g_leak": 2.2,
            "E_leak": -57.5,
            "g_tonic": 0.2,
            "E_syn": 0,
        },
        units={"V": "mV"},
        time_unit="ms",
        simulated=30,
        start_spread=0.1,
        constant_spread=0.05,
    ),
}
