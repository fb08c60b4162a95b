"""The automatic predictor on one case, in a process of its own: ``python _automatic_worker.py CASE``; see ``automatic.py``."""

import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd
from _automatic_case import write_predictions

from polytask.automatic import MultiTaskPredictor, process_start
from polytask.tasks import task_of_kind


def main(folder: Path) -> None:
    started = process_start()
    warnings.simplefilter("ignore")  # copies, few labels: told to users, not to a benchmark
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    if not case["extras"]:
        sys.modules["catboost"] = None  # type: ignore[assignment]  # as the plain installation has it
    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    predictor = MultiTaskPredictor(
        [task_of_kind(name, (name,), kind) for name, kind in case["targets"].items()],
        group=case["group"],
        preset=case["preset"],
        time_limit=case["time_limit"],
        seed=case["seed"],
        threads=case["threads"],
    ).fit(train, started=started)
    predictor.save(folder / "model")
    fitted = time.monotonic()
    probabilities = predictor.predict_proba(test)
    numbers = predictor.predict(test)
    portfolio = predictor.model_.portfolio_
    write_predictions(
        folder,
        {
            name: probabilities[name].to_numpy() if name in probabilities else numbers[name].to_numpy(dtype=float)
            for name in case["targets"]
        },
        {name: list(frame.columns) for name, frame in probabilities.items()},
        seconds=fitted - started,
        predict_seconds=time.monotonic() - fitted,
        ended_by=portfolio.ended_by,
        models=list(portfolio.bagged),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
