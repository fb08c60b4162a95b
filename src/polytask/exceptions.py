"""The errors and warnings a caller may want to catch.

::

    Exception
     └─ PolytaskError                something polytask can explain in one sentence
         ├─ OptionError              a setting or option that cannot be used
         ├─ DataError                a table, column or file that cannot be used
         │   └─ TargetError          a target that is not there or not of its kind
         │       └─ UnlearnableError  a target without labels, or with one value only
         └─ ModelFolderError         a model folder that is damaged, foreign or too new
    UserWarning
     └─ PolytaskWarning              something that works, but may surprise

Every error is a :class:`ValueError` too, so code written for scikit-learn catches it.

>>> from polytask.exceptions import TargetError
>>> issubclass(TargetError, ValueError)
True
"""

__all__ = ["DataError", "ModelFolderError", "OptionError", "PolytaskError", "PolytaskWarning", "TargetError", "UnlearnableError"]


class PolytaskError(ValueError):
    """Base of all errors that polytask raises on purpose; its text is one clear sentence."""


class OptionError(PolytaskError):
    """A setting or command-line option that cannot be used."""


class DataError(PolytaskError):
    """A file, table or column that cannot be used."""


class TargetError(DataError):
    """A target that is not in the table, or not of its kind."""


class UnlearnableError(TargetError):
    """A target that holds nothing to learn: no labels, or one value only."""


class ModelFolderError(PolytaskError):
    """A model folder that is damaged, not a polytask model, or from a newer version."""


class PolytaskWarning(UserWarning):
    """Something that works, but may surprise."""
