"""What each task of a fitted portfolio is predicted from, measured when somebody asks for it and in the time that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polytask.automatic._portfolio_fit import TrainingRows, divided_rows
from polytask.automatic._portfolio_importance import NOT_MEASURED, portfolio_importance
from polytask.automatic._portfolio_model import PortfolioModel
from polytask.automatic._predictor_fit import roles_of
from polytask.automatic._predictor_outputs import check_fitted
from polytask.automatic._study_run import as_gap
from polytask.data import to_pandas
from polytask.estimators import CodedTable, LearningData, read_labels
from polytask.evaluation import Importance
from polytask.exceptions import DataError, OptionError
from polytask.storage import fingerprint

if TYPE_CHECKING:
    from polytask.automatic._predictor import MultiTaskPredictor


def predictor_importance(predictor: MultiTaskPredictor, data: Any) -> pd.DataFrame:
    """Give what the fit has measured, or measure it now; see :meth:`MultiTaskPredictor.importance`."""
    check_fitted(predictor)
    if "importance" in predictor.report_:
        return Importance(predictor.report_["importance"]).to_frame()
    instead = "Ask `polytask.evaluation.permutation_importance`, with rows that it has not seen."
    if not isinstance(predictor.model_, PortfolioModel):
        raise OptionError(f"`importance` is of a portfolio; this is one network. {instead}")
    if not hasattr(predictor, "_marks"):
        raise OptionError(f"`importance` needs the rows that each model has not seen, and this predictor was loaded. {instead}")
    if data is None:
        raise OptionError("The fit had no time to measure importance; give `importance` the table of the fit.")
    frame = to_pandas(data)
    if fingerprint(frame) != predictor._marks["data"]:
        raise DataError(f"`importance` must be given the table of the fit; this one differs from it. {instead}")
    found, note = _measured(predictor, frame)
    if found is None:
        raise DataError(note)
    predictor.report_["importance"] = found
    predictor.report_["notes"] = [told for told in predictor.report_["notes"] if not told.startswith(NOT_MEASURED)]
    return Importance(found).to_frame()


def _measured(predictor: MultiTaskPredictor, frame: pd.DataFrame) -> tuple[dict[str, Any] | None, str]:
    model, roles = predictor.model_, roles_of(predictor, frame)
    columns = {"split": predictor.split, "group": predictor.group, "time": predictor.time}
    learn, reserved, _ = divided_rows(roles, len(frame), **columns)
    rows = TrainingRows.of(roles, learn, reserved, gap=as_gap(predictor.gap))
    labels, weight = read_labels(rows.labels, model.tasks).weighed(rows.settings["sample_weight"])
    table = CodedTable(model.codec_.transform(rows.inputs), model.codec_.cardinalities)
    groups = None if rows.settings["groups"] is None else np.asarray(rows.settings["groups"])
    learned = LearningData(table, labels, weight, groups=groups, times=rows.settings["times"])
    return portfolio_importance(
        model.portfolio_, learned, model.splits_, model.codec_, seed=model.random_state, until=float("inf")
    )
