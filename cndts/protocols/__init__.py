"""Published evaluation protocols by name."""

from inspect import signature
from typing import Any

from cndts.protocols._base import Protocol
from cndts.protocols._mtan import MTANPhysioNet2012
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._t_patchgnn import TPatchGNNPhysioNet2012

__all__ = [
    "MTANPhysioNet2012",
    "Protocol",
    "ProtocolSplit",
    "TPatchGNNPhysioNet2012",
    "available_protocols",
    "protocol",
]

_PROTOCOLS: tuple[type[Protocol], ...] = (MTANPhysioNet2012, TPatchGNNPhysioNet2012)


def available_protocols() -> list[str]:
    """Names that :func:`protocol` knows.

    Examples
    --------
    >>> available_protocols()
    ['mtan/physionet2012', 't-patchgnn/physionet2012']
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
    raise ValueError(f"there is no protocol {name!r}; the known ones are {', '.join(available_protocols())}.")


def _checked(name: str, known: type[Protocol], settings: dict[str, Any]) -> dict[str, Any]:
    possible = list(signature(known).parameters)
    unknown = [setting for setting in settings if setting not in possible]
    if unknown:
        raise ValueError(f"{name} has no setting {unknown[0]!r}; it has {', '.join(possible) or 'none'}.")
    return settings
