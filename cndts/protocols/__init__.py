"""Published evaluation protocols by name."""

from inspect import signature
from typing import Any

from cndts._nearest_name import hint
from cndts.protocols._base import Protocol
from cndts.protocols._grafiti_physionet2012 import GraFITiPhysioNet2012
from cndts.protocols._grafiti_ushcn import GraFITiUSHCN
from cndts.protocols._latent_ode_extrapolation import LatentODEExtrapolation
from cndts.protocols._latent_ode_interpolation import LatentODEInterpolation
from cndts.protocols._latent_ode_mortality import LatentODEMortality
from cndts.protocols._mtan import MTANPhysioNet2012
from cndts.protocols._pendulum import CRUPendulum
from cndts.protocols._physiome_ode import PhysiomeODE
from cndts.protocols._pyomnits_human_activity import PyOmniTSHumanActivity
from cndts.protocols._pyomnits_physionet2012 import PyOmniTSPhysioNet2012
from cndts.protocols._pyomnits_ushcn import PyOmniTSUSHCN
from cndts.protocols._spirals import ContiFormerSpirals
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._sporadic import read_sporadic_csv, sporadic_ushcn
from cndts.protocols._t_patchgnn import TPatchGNNPhysioNet2012
from cndts.protocols._t_patchgnn_human_activity import TPatchGNNHumanActivity
from cndts.protocols._t_patchgnn_ushcn import TPatchGNNUSHCN

__all__ = [
    "CRUPendulum",
    "ContiFormerSpirals",
    "GraFITiPhysioNet2012",
    "GraFITiUSHCN",
    "LatentODEExtrapolation",
    "LatentODEInterpolation",
    "LatentODEMortality",
    "MTANPhysioNet2012",
    "PhysiomeODE",
    "Protocol",
    "ProtocolSplit",
    "PyOmniTSHumanActivity",
    "PyOmniTSPhysioNet2012",
    "PyOmniTSUSHCN",
    "TPatchGNNHumanActivity",
    "TPatchGNNPhysioNet2012",
    "TPatchGNNUSHCN",
    "available_protocols",
    "protocol",
    "read_sporadic_csv",
    "sporadic_ushcn",
]

_PROTOCOLS: tuple[type[Protocol], ...] = (
    CRUPendulum,
    ContiFormerSpirals,
    GraFITiPhysioNet2012,
    GraFITiUSHCN,
    LatentODEExtrapolation,
    LatentODEInterpolation,
    LatentODEMortality,
    MTANPhysioNet2012,
    PhysiomeODE,
    PyOmniTSHumanActivity,
    PyOmniTSPhysioNet2012,
    PyOmniTSUSHCN,
    TPatchGNNHumanActivity,
    TPatchGNNPhysioNet2012,
    TPatchGNNUSHCN,
)


def available_protocols() -> list[str]:
    """Names that :func:`protocol` knows.

    Examples
    --------
    >>> [name for name in available_protocols() if name.endswith("ushcn")]
    ['grafiti/ushcn', 'pyomnits/ushcn', 't-patchgnn/ushcn']
    """
    return sorted(known.name for known in _PROTOCOLS)


def protocol(name: str, **settings: Any) -> Protocol:
    """A published evaluation protocol.

    Parameters
    ----------
    name : str
        One of :func:`available_protocols`.
    **settings
        What the protocol leaves open, if anything; see its class.

    Returns
    -------
    Protocol

    Raises
    ------
    ValueError
        If there is no protocol of this name, it has no such setting, or a setting makes no sense.

    Examples
    --------
    >>> protocol("t-patchgnn/physionet2012")
    TPatchGNNPhysioNet2012()
    >>> protocol("mtan/physionet2012", observed=0.7)
    MTANPhysioNet2012(observed=0.7, random_state=0, scale='all')
    """
    for known in _PROTOCOLS:
        if known.name == name:
            return known(**_checked(name, known, settings))
    names = available_protocols()
    raise ValueError(f"there is no protocol {name!r}{hint(name, names)}; the known ones are {', '.join(names)}.")


def _checked(name: str, known: type[Protocol], settings: dict[str, Any]) -> dict[str, Any]:
    possible = list(signature(known).parameters)
    unknown = [setting for setting in settings if setting not in possible]
    if unknown:
        raise ValueError(f"{name} has no setting {unknown[0]!r}; it has {', '.join(possible) or 'none'}.")
    return settings
