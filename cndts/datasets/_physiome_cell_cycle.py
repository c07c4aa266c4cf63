"""Division of nuclei in an embryo, a set of Physiome-ODE."""

from collections.abc import Sequence

from cndts.datasets._physiome_model import PhysiomeModel


def _mitosis(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """Calzone, Thieffry, Tyson and Novak, Molecular Systems Biology 3:131, 2007: the cycles of Drosophila between divisions.

    MPF, its inactive form, Wee1 and String are made, degraded, switched and carried between the nuclei (n) and the cytoplasm (c); what
    enters the N nuclei of relative volume epsilon leaves the cytoplasm by r = N epsilon / (1 - N epsilon). N doubles at mitosis in the
    paper and stays here, as in the source. The basal rate of String in the nucleus is that of Wee1 in one term, as in the file of the
    repository.
    """
    mpf_n, mpf_c, fzy, wee_n, stg_p_n, pre_n, pre_c, n, stg_p_c, wee_c, ie, stg_m, xp, xm, stg_n, stg_c, wee_p_n = x
    k_in, k_out, k_dn0, k_dn1, k_wee0, k_wee1, k_stg0, k_stg1, k_sc, k_dc, epsilon, *others = c
    j_aie, j_iie, k_aie, k_iie, j_afz, j_ifz, k_afz, k_ifz, k_dm0, k_dm1, j_m, k_sxm, k_sxp, k_ins, k_outs, *others = (
        others
    )
    k_astg0, k_astg1, k_istg, k_dstg, j_astg, j_istg, k_sstg, k_inw, k_outw, *wee, wee_total, _, _ = others
    r = n * epsilon / (1 - n * epsilon)
    wee_p_c = wee_total + r * (wee_total - wee_n - wee_p_n) - wee_c
    mpf_enters, pre_enters = k_in * mpf_c - k_out * mpf_n, k_in * pre_c - k_out * pre_n
    stg_enters, stg_p_enters = k_ins * stg_c - k_outs * stg_n, k_ins * stg_p_c - k_outs * stg_p_n
    wee_enters = k_inw * wee_c - k_outw * wee_n
    dies, wee_works_n, wee_works_c = k_dn0 + k_dn1 * fzy, k_wee0 + k_wee1 * wee_n, k_wee0 + k_wee1 * wee_c
    stg_works_c = k_stg0 + k_stg1 * stg_p_c
    stg_on_n = _switched(stg_n, k_astg0 + k_astg1 * mpf_n, j_astg) - _switched(stg_p_n, k_istg, j_istg)
    stg_on_c = _switched(stg_c, k_astg0 + k_astg1 * mpf_c, j_astg) - _switched(stg_p_c, k_istg, j_istg)
    wee_on_n, wee_on_c = _wee1_activated(wee_n, wee_p_n, mpf_n, wee), _wee1_activated(wee_c, wee_p_c, mpf_c, wee)
    return [
        mpf_enters - (dies + wee_works_n) * mpf_n + (k_stg0 + k_stg1 * stg_p_n) * pre_n,
        k_sc - r * mpf_enters - (k_dc + wee_works_c) * mpf_c + stg_works_c * pre_c,
        _switched(1 - fzy, k_afz * ie, j_afz) - _switched(fzy, k_ifz, j_ifz),
        wee_enters + wee_on_n,
        stg_p_enters + stg_on_n - k_dstg * stg_p_n,
        pre_enters - dies * pre_n + wee_works_n * mpf_n - (k_wee0 + k_stg1 * stg_p_n) * pre_n,
        -r * pre_enters - (k_dc + stg_works_c) * pre_c + wee_works_c * mpf_c,
        0.0,
        -k_dstg * stg_p_c - r * stg_p_enters + stg_on_c,
        -r * wee_enters + wee_on_c,
        _switched(1 - ie, k_aie * mpf_n, j_aie) - _switched(ie, k_iie, j_iie),
        -(k_dm0 / (j_m + stg_m) + k_dm1 * xp) * stg_m,
        k_sxp * xm,
        k_sxm * n,
        stg_enters - stg_on_n - k_dstg * stg_n,
        k_sstg * stg_m - k_dstg * stg_c - r * stg_enters - stg_on_c,
        k_inw * wee_p_c - k_outw * wee_p_n - wee_on_n,
    ]


def _switched(amount: float, rate: float, j: float) -> float:
    """Michaelis and Menten."""
    return rate * amount / (j + amount)


def _wee1_activated(active: float, inactive: float, mpf: float, c: Sequence[float]) -> float:
    k_awee, k_iwee0, k_iwee1, j_awee, j_iwee = c
    return _switched(inactive, k_awee, j_awee) - _switched(active, k_iwee0 + k_iwee1 * mpf, j_iwee)


_START: dict[str, float] = {
    "MPF_n": 0,
    "MPF_c": 1,
    "FZY": 0,
    "Wee1_n": 0,
    "StgP_n": 0,
    "preMPF_n": 0,
    "preMPF_c": 0,
    "N": 1,
    "StgP_c": 0,
    "Wee1_c": 0,
    "IE": 0,
    "Stg_m": 1,
    "Xp": 0,
    "Xm": 0,
    "Stg_n": 0,
    "Stg_c": 1,
    "Wee1P_n": 0,
}
CELL_CYCLE = {
    "CAL01": PhysiomeModel(
        source="calzone_thieffry_tyson_novak_2007",
        field=_mitosis,
        start=_START,
        constants={
            "k_in": 0.15,
            "k_out": 0,
            "k_dn_": 0.01,
            "k_dn__": 1.5,
            "k_wee_": 0.005,
            "k_wee__": 1,
            "k_stg_": 0.2,
            "k_stg__": 2,
            "k_sc": 0.01,
            "k_dc_": 0.01,
            "epsilon": 7e-5,
            "j_aie": 0.01,
            "j_iie": 0.01,
            "k_aie": 1,
            "k_iie": 0.4,
            "j_afz": 0.01,
            "j_ifz": 0.01,
            "k_afz": 1,
            "k_ifz": 0.2,
            "k_dm_": 0.002,
            "k_dm__": 0.2,
            "j_m": 0.05,
            "k_sxm": 0.0005,
            "k_sxp": 0.001,
            "k_ins": 0.08,
            "k_outs": 0.02,
            "k_astg_": 0,
            "k_astg__": 1,
            "k_istg": 0.3,
            "k_dstg": 0.015,
            "j_astg": 0.05,
            "j_istg": 0.05,
            "k_sstg": 0.02,
            "k_inw": 0.04,
            "k_outw": 0.01,
            "k_awee": 0.3,
            "k_iwee_": 0.01,
            "k_iwee__": 1,
            "j_awee": 0.05,
            "j_iwee": 0.05,
            "Wee1_T": 0.8,
            "k_ez": 0.5,
            "dN": 0,
        },
        units={},
        time_unit="min",
        simulated=30,
        start_spread=0.5,
        constant_spread=0.1,
        asked=("MPF_n", "FZY", "Wee1_n", "StgP_n", "preMPF_n", "preMPF_c", "IE", "Stg_n", "Stg_c", "Wee1P_n"),
    )
}
