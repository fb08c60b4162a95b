"""The study to begin with: what could be learned from a table, and what is guessed."""

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from polytask.automatic._roles import Roles
from polytask.automatic._study import Study
from polytask.automatic._study_run import study_roles, study_targets
from polytask.automatic._study_text import StudyLine, commented_study
from polytask.exceptions import PolytaskError, TargetError

if TYPE_CHECKING:
    import pandas as pd

_NAMED_LIKE_A_TARGET = re.compile(r"(target|label|class|outcome|response|y)s?([_\d].*)?|.*_(target|label)", re.IGNORECASE)
_MOST = 40  # columns offered as further targets

_HEAD = """A study of polytask: what to learn from which table, and how.
Run it with 'polytask fit {file}' or 'polytask compare {file}'; an option given besides goes before it.

A field is an option of the command line without its dashes; those that begin with # are by default.
Relative paths are relative to this file. {targets}
For an editor that checks while you type: 'polytask init --schema' prints the JSON schema."""
_GUESSED = "No target was named: {why} below.\nMove the # until those columns are left that you want to learn."


def first_study(study: Study, frame: "pd.DataFrame", *, file: str) -> str:
    """Write a commented study of a table, with the tasks and why each is of its kind.

    Where the study names no target, columns named like one (``y_1``, ``target``, ``sick_label``) are taken, or else the last
    column that can be learned; the others are there as comments. Inputs that are perfect copies of a target are ignored.

    Parameters
    ----------
    study : Study
        What is known; paths as they must be written in the file.
    frame : DataFrame
    file : str
        What the study will be called.

    Returns
    -------
    text : str

    Raises
    ------
    TargetError
        If a target is not there, or no column can be learned.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"area": [51.5, 60.25, 48.0] * 9, "y_sold": ["yes", "no", "yes"] * 9})
    >>> text = first_study(Study(table="train.csv"), frame, file="study.yaml")
    >>> print(text[text.index("target:"):].partition(chr(10) * 2)[0])
    target:
    - y_sold  # binary: two distinct values: 'no' and 'yes'
    # - area  # regression: ...
    """
    others = {} if study.data else _learnable_columns(study, frame)
    why = ""
    if not study_targets(study):
        if not others:
            raise TargetError("No column can be learned: none has two values that are no identifier and no free text.")
        chosen, why = _guess(list(others))
        study = study.model_copy(update={"target": chosen})
    roles = study_roles(study, frame)
    used = {*roles.label_columns, *study.target}
    targets = [StudyLine(spec, _why(spec, roles)) for spec in study.target]
    further = [(column, told) for column, told in others.items() if column not in used]
    targets += [StudyLine(column, told, out=True) for column, told in further[:_MOST]]
    return commented_study(
        study,
        head=_HEAD.format(file=file, targets=_GUESSED.format(why=why) if why else "").replace(" \n", "\n"),
        targets=None if study.data else targets,
        ignored=[*map(StudyLine, study.ignore), *_copies(roles, study)],
    )


def _learnable_columns(study: Study, frame: "pd.DataFrame") -> dict[str, str]:
    """Columns that could be targets, and what they would be."""
    from polytask.data import infer_column
    from polytask.tasks import infer_task

    taken = {*study.ignore, study.group, study.split, study.weight, study.task_by, study.time}
    found = {}
    for column in frame.columns:
        if column in taken or infer_column(frame[column]).kind == "identifier":
            continue
        try:
            inference = infer_task(column, frame)
        except PolytaskError:  # nothing to learn in it
            continue
        found[column] = f"{inference.task.kind}: {inference.reason}"
    return found


def _guess(columns: list[str]) -> tuple[list[str], str]:
    named = [column for column in columns if _NAMED_LIKE_A_TARGET.fullmatch(column)]
    if named:
        return named, "columns named like targets are guessed"
    return columns[-1:], "the last column is guessed"


def _why(spec: str, roles: Roles) -> str:
    """Kind and reason of the task of a target; of several, of the first, and how many there are."""
    names = [name for name in roles.reasons if _is_of(spec, name)]
    if not names:
        return ""
    kinds = {task.name: task.kind for task in roles.tasks}
    more = f" (the first of {len(names)} tasks)" if len(names) > 1 else ""
    return f"{kinds[names[0]]}: {roles.reasons[names[0]]}{more}"


def _is_of(spec: str, name: str) -> bool:
    """Whether a task was made of a target: by its name, its pattern, the name after ``as``, or as one of the groups of a task."""
    own, kind_cut = spec.rpartition(" as ")[2], spec.rpartition(":")[0] or spec
    target = name.partition("[")[0]
    by_pattern = fnmatchcase(target, kind_cut) or fnmatchcase(name, kind_cut)
    return bool({name, target} & {spec, own, kind_cut}) or spec.startswith((f"{target}:", f"{target}=")) or by_pattern


def _copies(roles: Roles, study: Study) -> list[StudyLine]:
    from polytask.data import perfect_copies

    found = dict(perfect_copies(roles.inputs, roles.labels))
    return [
        StudyLine(column, f"a perfect copy of the target {target!r}")
        for column, target in found.items()
        if column not in study.ignore
    ]
