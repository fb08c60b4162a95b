"""Reading a study from a file, with errors that name its lines."""

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from polytask.automatic._study import Study
from polytask.automatic._study_errors import field_name, study_error
from polytask.automatic._study_yaml import Place, YAMLText, parse_yaml
from polytask.exceptions import OptionError, PolytaskWarning

_SECTIONS = ("fit", "compare")


def read_study(path: str | os.PathLike[str]) -> Study:
    """Read a study file.

    Parameters
    ----------
    path : str or path
        YAML (or JSON), UTF-8. Relative paths in it are relative to its folder; in the study given back they are relative to the
        working directory, or absolute if ``path`` is.

    Returns
    -------
    study : Study

    Raises
    ------
    OptionError
        If the file cannot be read, is no YAML, or a field is unknown or holds what it must not; line and field are named.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "study.yaml"
    >>> _ = file.write_text("table: train.csv\\ntarget: [price, sold]\\nmax_steps: 100\\n")
    >>> study = read_study(file)
    >>> study.target, study.max_steps, study.table == [str(file.parent / "train.csv")]
    (['price', 'sold'], 100, True)
    >>> _ = file.write_text("target: price\\ncompare:\\n  fold: 3\\n")
    >>> read_study(file)
    Traceback (most recent call last):
    ...
    polytask.exceptions.OptionError: ...study.yaml, line 3: `fold` of `compare` is not a field. Did you mean 'folds'?
    """
    return study_from(read_study_text(path), {}, path=path)


def study_from(
    text: YAMLText,
    given: Mapping[Place, Any],
    *,
    path: str | os.PathLike[str] | None = None,
    name_given: Callable[[Place], str] = field_name,
) -> Study:
    """Make a study of a file's content and of what is given besides, which goes before what the file says.

    Parameters
    ----------
    text : YAMLText
        ``YAMLText({})`` where there is no file.
    given : mapping
        From a field's place, such as ``("compare", "folds")``, to its value; paths relative to the working directory.
    path : path, optional
        The study file.
    name_given : callable
        What a reader calls a given field.
    """
    content = {} if text.content is None else text.content
    if not isinstance(content, dict):
        got = "a list" if isinstance(content, list) else "a text"
        raise OptionError(f"{path} must be a mapping of fields (table: ..., target: ...); got {got}.")
    fields: dict[Any, Any] = _without_nothing(content, text, path)
    for place in given:  # goes before what the file says, be that right or wrong
        section = fields if len(place) == 1 else fields.get(place[0])
        if isinstance(section, dict):
            section.pop(place[-1], None)

    def name(place: Place) -> str:
        return field_name(place) if path is None else f"{path}, line {text.line(place)}: {field_name(place)}"

    study = _checked(fields, name)
    if path is not None:
        folder = os.path.dirname(os.fspath(path))
        study = study.with_paths(lambda own: os.path.join(folder, own))
    if not given:
        return study
    merged: dict[Any, Any] = study.model_dump(by_alias=True, exclude_unset=True)
    for place, value in given.items():
        (merged if len(place) == 1 else merged.setdefault(place[0], {}))[place[-1]] = value
    return _checked(merged, name_given)  # what the file says is right by now


def _checked(fields: dict[Any, Any], name: Callable[[Place], str]) -> Study:
    try:
        return Study(**fields)
    except ValidationError as error:
        raise study_error(error, name=name) from error


def study_of_text(text: str, *, path: Path, preset: str) -> Study | None:
    """The study that a model folder keeps; None with a warning where a newer version wrote what this one does not know.

    Early studies do not name the preset of one network, which was the default then: ``preset`` is that of the model.
    """
    try:
        study = study_from(parse_yaml(text, where=str(path)), {}, path=path)
        return study if study.fit.preset else study.with_preset(preset)
    except OptionError as error:
        warnings.warn(f"The study of the model is not read: {error}", PolytaskWarning, stacklevel=2)
        return None


def read_study_text(path: str | os.PathLike[str]) -> YAMLText:
    """Read the YAML of a study file.

    Raises
    ------
    OptionError
        If there is no such file, or it is not UTF-8, or no YAML.
    """
    try:
        return parse_yaml(Path(path).read_text(encoding="utf-8-sig"), where=os.fspath(path))
    except OSError as error:
        raise OptionError(f"The study {os.fspath(path)!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"The study {os.fspath(path)!r} is not UTF-8 text. Save it as UTF-8.") from error


def _without_nothing(content: dict[str, Any], text: YAMLText, path: Any, of: Place = ()) -> dict[str, Any]:
    """Fields with a value; one left empty is as if it was not there. ``max-steps`` is ``max_steps``."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        name = key.replace("-", "_")
        if name in found:
            where = f"{path}, line {text.line((*of, key))}"
            raise OptionError(f"{where}: the field {field_name((*of, name))} is there twice; it can be there once.")
        if not of and name in _SECTIONS and isinstance(value, dict):
            value = _without_nothing(value, text, path, of=(key,))
        if value is not None:
            found[name] = value
    return found
