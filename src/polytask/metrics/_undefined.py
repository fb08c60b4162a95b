"""The answer of a metric that has no value."""

from polytask.exceptions import PolytaskError


class UndefinedMetric(PolytaskError):
    """A metric that has no value for these labels; never told as NaN or 0.

    Parameters
    ----------
    reason : str
        Why, in plain words that can stand after the metric's name: "only one class in the labels".

    Examples
    --------
    >>> UndefinedMetric("only one class in the labels").reason
    'only one class in the labels'
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
