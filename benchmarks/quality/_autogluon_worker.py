"""AutoGluon-Tabular on one case, one predictor per target with an equal share of the time; run by the Python of its own
environment: ``python _autogluon_worker.py CASE``. Numbers, counts and ordinal targets are regression; the metric is that of the
benchmark, so that it chooses by what it is scored by."""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _automatic_case import write_predictions
from autogluon.tabular import TabularPredictor

NUMBERS = ("regression", "count", "ordinal")


def main(folder: Path) -> None:
    started = time.monotonic()  # imports do not count
    warnings.simplefilter("ignore")
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    inputs = [column for column in test.columns if column not in case["targets"]]
    predicted, classes, predict_seconds = {}, {}, 0.0
    for number, (name, kind) in enumerate(case["targets"].items()):
        rows = train.loc[train[name].notna(), [*inputs, name]]
        problem = "regression" if kind in NUMBERS else None
        metric = "root_mean_squared_error" if problem else "roc_auc" if rows[name].nunique() == 2 else "roc_auc_ovr_macro"
        predictor = TabularPredictor(
            label=name, problem_type=problem, eval_metric=metric, path=str(folder / f"model{number}"), verbosity=0
        )
        predictor.fit(
            rows,
            time_limit=case["time_limit"] / len(case["targets"]),
            presets=case["preset"],
            num_cpus=case["threads"],
            num_gpus=0,
        )
        began = time.monotonic()
        if problem:
            predicted[name] = predictor.predict(test[inputs]).to_numpy(dtype=float)
        else:
            probabilities = predictor.predict_proba(test[inputs], as_multiclass=True)
            predicted[name] = np.asarray(probabilities, dtype=float)
            classes[name] = list(probabilities.columns)
        predict_seconds += time.monotonic() - began
    seconds = time.monotonic() - started - predict_seconds
    write_predictions(folder, predicted, classes, seconds=seconds, predict_seconds=predict_seconds)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
