"""Energy of the heart muscle, a set of Physiome-ODE."""

from collections.abc import Sequence

from cndts.datasets._physiome_model import PhysiomeModel


def _energy(t: float, x: Sequence[float], c: Sequence[float]) -> list[float]:
    """High-energy phosphates during heart beats: van Beek, American Journal of Physiology, Cell Physiology 293:C815-C829, 2007.

    In the cytosol V_cyt ATP' = J_ATP - J_hyd - J_CK, V_cyt ADP' = J_ADP + J_hyd + J_CK, V_cyt PCr' = J_PCr + J_CK,
    V_cyt Cr' = J_Cr - J_CK and V_cyt Pi' = J_Pi + J_hyd. Between the membranes of mitochondria what diffuses, J_ATP to J_Pi, leaves;
    creatine kinase is another, and ATP is made, V d p / ((1 + d) (1 + p)) with d = ADP / K_ADP and p = Pi / K_Pi.
    """
    atp, adp, pcr, cr, pi, atp_ims, adp_ims, pcr_ims, cr_ims, pi_ims = x
    v_cyt, v_ims, k_pi, k_adp, synthesis, ps_atp, ps_adp, ps_pcr, ps_cr, ps_pi = *c[:2], *c[23:31]
    kinase = _creatine_kinase(atp, adp, pcr, cr, c[2:10], c[31], c[32])
    kinase_ims = _creatine_kinase(atp_ims, adp_ims, pcr_ims, cr_ims, c[10:18], c[33], c[34])
    j_atp, j_adp, j_pcr = ps_atp * (atp_ims - atp), ps_adp * (adp_ims - adp), ps_pcr * (pcr_ims - pcr)
    j_cr, j_pi = ps_cr * (cr_ims - cr), ps_pi * (pi_ims - pi)
    used = _hydrolysis(t, c)
    d, p = adp_ims / k_adp, pi_ims / k_pi
    made = synthesis * d * p / ((1 + d) * (1 + p))
    return [
        (j_atp - used - kinase) / v_cyt,
        (j_adp + used + kinase) / v_cyt,
        (j_pcr + kinase) / v_cyt,
        (j_cr - kinase) / v_cyt,
        (j_pi + used) / v_cyt,
        (made - j_atp - kinase_ims) / v_ims,
        (kinase_ims - made - j_adp) / v_ims,
        (kinase_ims - j_pcr) / v_ims,
        -(kinase_ims + j_cr) / v_ims,
        -(made + j_pi) / v_ims,
    ]


def _creatine_kinase(
    atp: float, adp: float, pcr: float, cr: float, c: Sequence[float], k_ib_adp: float, k_c: float
) -> float:
    """Flux from ATP and creatine to ADP and phosphocreatine."""
    k_ia, k_b, k_ib, k_ic, k_d, k_id, forward, backward = c
    occupied = 1 + cr / k_ib + pcr / k_id + atp * (1 + cr / k_b) / k_ia
    occupied += adp * ((1 + cr / k_ib_adp) / k_ic + pcr / (k_id * k_c))
    return (forward * atp * cr / (k_ia * k_b) - backward * adp * pcr / (k_ic * k_d)) / occupied


def _hydrolysis(t: float, c: Sequence[float]) -> float:
    """ATP used at a time: a triangle over the first third of each beat; after some beats the heart goes faster."""
    basis, basis_after, beat, beat_after, switch = c[18], c[19], c[35], c[36], c[37]
    if t <= switch:
        part = t / beat % 1
    else:
        basis, part = basis_after, (t - switch) / beat_after % 1
    return 6 * basis * max(0.0, min(6 * part, 2 - 6 * part))


_START = {"ATP": 5912.77, "ADP": 64.0, "PCr": 5000.0, "Cr": 10500.0, "Pi": 913.0}
_START_IMS = {"ATP_ims": 5912.77, "ADP_ims": 39.0, "PCr_ims": 5000.0, "Cr_ims": 10500.0, "Pi_ims": 910.0}
HEART = {
    "VAN01": PhysiomeModel(
        source="vanbeek_2007",
        field=_energy,
        start=_START | _START_IMS,
        constants={
            "V_cyt": 0.75,
            "V_ims": 0.0625,
            "Kia": 900.0,
            "Kb": 1.55e4,
            "Kib": 3.49e4,
            "Kic": 222.4,
            "Kd": 1670.0,
            "Kid": 4730.0,
            "Vmax_MM_f": 1.144e4,
            "Vmax_MM_b": 4.804e4,
            "Kia_Mi": 750.0,
            "Kb_Mi": 5200.0,
            "Kib_Mi": 2.88e4,
            "Kic_Mi": 204.8,
            "Kd_Mi": 500.0,
            "Kid_Mi": 1600.0,
            "Vmax_Mi_f": 882.0,
            "Vmax_Mi_b": 3704.0,
            "J_hyd_basis_1": 486.5,
            "J_hyd_basis_2": 627.6,
            "freq_1": 135,
            "freq_2": 220,
            "nb_of_cycles_1": 5,
            "KPi": 800.0,
            "KADP": 25,
            "V_max_syn": 1.504e4,
            "PS_tot_ATP": 13.3,
            "PS_tot_ADP": 13.3,
            "PS_tot_PCr": 155.0,
            "PS_tot_Cr": 155.0,
            "PS_tot_Pi": 194.0,
            "KIb": 3.49e4,
            "Kc": 222.4 * 1670 / 4730,
            "KIb_Mi": 2.88e4,
            "Kc_Mi": 204.8 * 500 / 1600,
            "t_cycle_1": 60 / 135,
            "t_cycle_2": 60 / 220,
            "duration_1": 5 * 60 / 135,
        },
        units=dict.fromkeys(_START | _START_IMS, "uM"),
        time_unit="s",
        simulated=10,
        start_spread=0.1,
        constant_spread=0.05,
    )
}
