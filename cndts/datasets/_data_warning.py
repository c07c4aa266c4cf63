"""The warning of readers that had to leave something out."""


class DataWarning(UserWarning):
    """A reader left out rows or files that the published format does not foresee.

    The message counts them by kind; ``return_report=True`` gives all counts. What a format documents as missing
    (such as -1 in PhysioNet 2012) is counted in the report without this warning.

    Examples
    --------
    Treat every such row as an error:

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", DataWarning)
    """
