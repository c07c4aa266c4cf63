"""Published evaluation protocols by name."""

from cndts.protocols._base import Protocol
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._t_patchgnn import TPatchGNNPhysioNet2012

__all__ = ["Protocol", "ProtocolSplit", "TPatchGNNPhysioNet2012", "available_protocols", "protocol"]

_PROTOCOLS: tuple[type[Protocol], ...] = (TPatchGNNPhysioNet2012,)


def available_protocols() -> list[str]:
    """Names that :func:`protocol` knows.

    Examples
    --------
    >>> available_protocols()
    ['t-patchgnn/physionet2012']
    """
    return sorted(known.name for known in _PROTOCOLS)


def protocol(name: str) -> Protocol:
    """A published evaluation protocol.

    Parameters
    ----------
    name : str
        One of :func:`available_protocols`.

    Returns
    -------
    Protocol

    Raises
    ------
    ValueError
        If there is no protocol of this name.

    Examples
    --------
    >>> protocol("t-patchgnn/physionet2012")
    TPatchGNNPhysioNet2012()
    """
    for known in _PROTOCOLS:
        if known.name == name:
            return known()
    raise ValueError(f"there is no protocol {name!r}; the known ones are {', '.join(available_protocols())}.")
