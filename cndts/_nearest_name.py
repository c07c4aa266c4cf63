"""What a misspelt name was meant to be."""

from difflib import get_close_matches


def hint(asked: str, names: list[str]) -> str:
    """A question after an unknown name: whether the nearest one was meant; nothing where none is near.

    Examples
    --------
    >>> hint("boosted-tree", ["boosted-trees", "ridge"])
    " (did you mean 'boosted-trees'?)"
    """
    nearest = suggestion(asked, names)
    return f" (did you mean {nearest!r}?)" if nearest else ""


def suggestion(asked: str, names: list[str]) -> str | None:
    """The name that was probably meant: the same one in a part, or the most similar one.

    Parameters
    ----------
    asked : str
        What was written, such as ``"training__learnign_rate"``.
    names : list of str
        What there is, parts as ``part__name``.

    Returns
    -------
    str or None
        None where nothing is similar.

    Examples
    --------
    >>> names = ["width", "training__learning_rate", "memory__window"]
    >>> suggestion("learning_rate", names), suggestion("memory_windows", names), suggestion("colour", names)
    ('training__learning_rate', 'memory__window', None)
    """
    last = {name.rpartition("__")[2]: name for name in reversed(names)}
    tail = asked.rpartition("__")[2]
    if tail in last:
        return last[tail]
    near = get_close_matches(asked, names, n=1) or [last[name] for name in get_close_matches(tail, list(last), n=1)]
    return near[0] if near else None
