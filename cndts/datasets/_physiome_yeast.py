"""Metabolic oscillations of yeast, sets of Physiome-ODE."""

from collections.abc import Sequence
from math import pow

from cndts.datasets._physiome_model import PhysiomeModel


def _glycolysis(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """Wolf et al., Biophysical Journal 78:1145-1153, 2000: nine metabolites of fermenting yeast, v1 to v9 as in its table.

    S1' = J0 - v1, S2' = v1 - v2, S3' = 2 v2 - v3 - v8, S4' = v3 - v4, S5' = v4 - v5, S6' = v5 - v6 - J, S6_ex' = phi J - v9,
    A3' = v3 + v4 - 2 v1 - v7 and N2' = v3 - v6 - v8, where J = k (S6 - S6_ex).
    """
    s1, s2, s3, s4, s5, s6, outside, a3, n2 = x
    j0, phi, a, n, k_i, k1, power, k2, gap_f, gap_b, pgk_f, pgk_b, k4, k5, k6, k7, k8, k9, k = c
    a2, n1 = a - a3, n - n2
    v1 = k1 * s1 * a3 / (1 + pow(a3 / k_i, power))
    v2 = k2 * s2
    v3 = (gap_f * pgk_f * s3 * n1 * a2 - gap_b * pgk_b * s4 * a3 * n2) / (gap_b * n2 + pgk_f * a2)
    v4 = k4 * s4 * a2
    v5 = k5 * s5
    v6 = k6 * s6 * n2
    v8 = k8 * s3 * n2
    leaving = k * (s6 - outside)
    return [
        j0 - v1,
        v1 - v2,
        2 * v2 - v3 - v8,
        v3 - v4,
        v4 - v5,
        v5 - v6 - leaving,
        phi * leaving - k9 * outside,
        v3 + v4 - 2 * v1 - k7 * a3,
        v3 - v6 - v8,
    ]


def _respiration(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """Wolf, Sohn, Heinrich and Kuriyama, FEBS Letters 499:230-234, 2001: sulphate assimilation and respiration, v1 to v18.

    S1' = v8 - v9, sul' = v1 - v2, aps' = v2 - v3, pap' = v3 - v4, hyd' = v4 - v5 - v17, cys' = v5 - v6, eth' = v13 - v7,
    aco' = v7 - v8 - v15, oxy' = v10 - v11 - v14, A3_c' = v16 - v2 - v3 - v12, A3_m' = v11B - v16,
    N2' = 2 v7 + 4 v9 - 3 v4 - v11 and oah' = v15 - v5 - v18.
    """
    s1, sul, aps, pap, hyd, cys, eth, aco, oxy, a3_c, a3_m, n2, oah = x
    s, v13, v10, a_c, a_m, n, v0, n_c, k_c, k2, k3, k4, k5, k6, k7, k8, k9, *rest = c
    alpha, m, k_h, k11, k_a, k12, k14, k15, k16, k17, k18 = rest
    n1, a2_m = n - n2, a_m - a3_m
    v1 = v0 / (1 + pow(cys / k_c, n_c))
    v2, v3, v4, v5 = k2 * sul * a3_c, k3 * aps * a3_c, k4 * pap * n2, k5 * hyd * oah
    v7, v8, v9, v15 = k7 * eth * n1, k8 * aco * (s - s1), k9 * s1 * n1, k15 * aco
    v11 = k11 * n2 * oxy / ((1 + pow(hyd / k_h, m)) * (alpha * n2 + oxy))
    v16 = k16 * a3_m * (a_c - a3_c)
    return [
        v8 - v9,
        v1 - v2,
        v2 - v3,
        v3 - v4,
        v4 - v5 - k17 * hyd,
        v5 - k6 * cys,
        v13 - v7,
        v7 - v8 - v15,
        v10 - v11 - k14 * oxy,
        v16 - v2 - v3 - k12 * a3_c,
        3 * v11 * a2_m / (k_a + a2_m) - v16,
        2 * v7 + 4 * v9 - 3 * v4 - v11,
        v15 - v5 - k18 * oah,
    ]


_GLYCOLYSIS_START = {
    "S1": 1.57981839,
    "S2": 4.8279999,
    "S3": 0.468657507,
    "S4": 0.589391932,
    "S5": 8.210114438,
    "S6": 0.078042624,
    "S6_ex": 0.025277594,
    "A3": 1.972814237,
    "N2": 0.384873894,
}
_RESPIRATION_START = {
    "S1": 1.892468811,
    "sul": 0.012871557,
    "aps": 0.053366179,
    "pap": 0.082791522,
    "hyd": 0.159317029,
    "cys": 0.805117739,
    "eth": 10.25246999,
    "aco": 1.139360412,
    "oxy": 6.146549084,
    "A3_c": 1.570847601,
    "A3_m": 1.835158493,
    "N2": 1.933616149,
    "oah": 5.571685096,
}
YEAST = {
    "WOL01": PhysiomeModel(
        source="wolf_passarge_somsen_snoep_heinrich_westerhoff_2000",
        field=_glycolysis,
        start=_GLYCOLYSIS_START,
        constants={
            "J0": 50,
            "phi": 0.1,
            "A": 4,
            "N": 1,
            "K_i": 1,
            "k1": 550,
            "n": 4,
            "k2": 9.8,
            "k_GAPDH_plus": 323.8,
            "k_GAPDH_minus": 57823.1,
            "k_PGK_plus": 76411.1,
            "k_PGK_minus": 23.7,
            "k4": 80,
            "k5": 9.7,
            "k6": 2000,
            "k7": 28,
            "k8": 85.7,
            "k9": 80,
            "k": 375,
        },
        units=dict.fromkeys(_GLYCOLYSIS_START, "mM"),
        time_unit="min",
        simulated=10,
        start_spread=0.3,
        constant_spread=0.05,
    ),
    "WOL03": PhysiomeModel(
        source="wolf_sohn_heinrich_kuriyama_2001",
        field=_respiration,
        start=_RESPIRATION_START,
        constants={
            "S": 2,
            "v13": 4,
            "v10": 80,
            "A_c": 2,
            "A_m": 2,
            "N": 2,
            "v0": 1.6,
            "n": 4,
            "Kc": 0.1,
            "k2": 0.2,
            "k3": 0.2,
            "k4": 0.2,
            "k5": 0.1,
            "k6": 0.12,
            "k7": 10,
            "k8": 10,
            "k9": 10,
            "alpha": 0.1,
            "m": 4,
            "KH": 0.5,
            "k11": 10,
            "KA": 1,
            "k12": 5,
            "k14": 10,
            "k15": 5,
            "k16": 10,
            "k17": 0.02,
            "k18": 1,
        },
        units=dict.fromkeys(_RESPIRATION_START, "mM"),
        time_unit="min",
        simulated=30,
        start_spread=0.5,
        constant_spread=0.1,
        asked=("S1", "sul", "pap", "eth", "aco", "oxy", "A3_c", "A3_m", "N2", "oah"),
    ),
}
