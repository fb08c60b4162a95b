"""What a task is: a name, its label columns, and everything that differs between kinds of label.

A declared task (:class:`Regression`, :class:`Binary`, :class:`Multiclass`, :class:`Multilabel`, :class:`Ordinal`,
:class:`Count`) is fitted on label columns; the fitted task turns labels into numbers [n, n_targets] (NaN = missing), says how
many outputs a network needs, and turns outputs into predictions.

>>> import pandas as pd
>>> from polytask.tasks import infer_task
>>> y = pd.DataFrame({"grade": ["A", "B", None, "C"]})
>>> task = infer_task("grade", y, order=("C", "B", "A")).task.fit(y)
>>> task.encode(y).ravel()
array([ 2.,  1., nan,  0.])
"""

from polytask.tasks._classification import Binary, FittedBinary, FittedMulticlass, Multiclass
from polytask.tasks._count import Count, FittedCount
from polytask.tasks._derived import Derived, derive_labels
from polytask.tasks._derived_fit import fit_derived
from polytask.tasks._derived_groups import TaskGroups, group_tasks, part_name
from polytask.tasks._derived_relations import Relation, deterministic_relations
from polytask.tasks._few_labels import unlike_rows
from polytask.tasks._infer import KINDS, Inference, infer_task, task_of_kind
from polytask.tasks._labels import canonical_label, label_array
from polytask.tasks._multilabel import FittedMultilabel, Multilabel
from polytask.tasks._options import with_options
from polytask.tasks._ordinal import FittedOrdinal, Ordinal
from polytask.tasks._regression import FittedRegression, Regression
from polytask.tasks._restore import fitted_task_from_dict
from polytask.tasks._targets import TargetSpec, derived_targets, parse_targets
from polytask.tasks._task import FittedTask, FixedTask, Task, fixed_task

__all__ = [
    "KINDS",
    "Binary",
    "Count",
    "Derived",
    "FittedBinary",
    "FittedCount",
    "FittedMulticlass",
    "FittedMultilabel",
    "FittedOrdinal",
    "FittedRegression",
    "FittedTask",
    "FixedTask",
    "Inference",
    "Multiclass",
    "Multilabel",
    "Ordinal",
    "Regression",
    "Relation",
    "TargetSpec",
    "Task",
    "TaskGroups",
    "canonical_label",
    "derive_labels",
    "derived_targets",
    "deterministic_relations",
    "fit_derived",
    "fitted_task_from_dict",
    "fixed_task",
    "group_tasks",
    "infer_task",
    "label_array",
    "parse_targets",
    "part_name",
    "task_of_kind",
    "unlike_rows",
    "with_options",
]
