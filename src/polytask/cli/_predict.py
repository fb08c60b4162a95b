"""``polytask predict``: predictions for new rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polytask.cli import _options as option
from polytask.exceptions import DataError

if TYPE_CHECKING:
    import pandas as pd

    from polytask.data import ReadTable


def predict(
    model: option.ModelFolder,
    table: option.NewTables,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="The predictions, .csv, .tsv (or .gz), .parquet.", show_default=False, metavar="FILE"),
    ],
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="A column to copy, unchanged; as often as needed.", show_default=False, metavar="COL"),
    ] = None,
    missing_columns: option.MissingColumns = "error",
    threads: option.Threads = None,
    sep: option.Separator = None,
    decimal: option.NewDecimal = None,
    missing: option.NewMissing = None,
    default_missing: option.DefaultMissing = None,
    quiet: option.Quiet = False,
) -> None:
    """Predict the targets for new rows, in their order."""
    from polytask.automatic import MultiTaskPredictor
    from polytask.cli._console import note, say
    from polytask.cli._output import check_output, check_table_suffix, write_table
    from polytask.cli._read import read_like
    from polytask.cli._threads import use_threads

    check_table_suffix(out, option="--out")
    check_output(out, option="--out", inputs=tuple(table))
    use_threads(threads)
    predictor = MultiTaskPredictor.load(model)
    read_table = read_like(
        predictor.report_.get("data", {}), table, sep=sep, decimal=decimal, missing=missing, default_missing=default_missing
    )
    if given := [column for column in predictor.target_columns_ if column in read_table.frame.columns]:
        named = ", ".join(map(repr, given[:8])) + (f" and {len(given) - 8} more" if len(given) > 8 else "")
        note(f"The table holds the target columns {named}; they are ignored.", quiet=quiet)
    predictions = predictor.predict_table(read_table.frame, missing_columns=missing_columns)
    write_table(out, _with_kept(predictions, keep or [], read_table))
    say(f"{len(predictions)} rows: {out}", quiet=quiet)


def _with_kept(predictions: "pd.DataFrame", keep: list[str], table: "ReadTable") -> "pd.DataFrame":
    """Put the copied columns before the predictions."""
    import pandas as pd

    from polytask.data import did_you_mean, written_texts

    keep = list(dict.fromkeys(keep))
    for column in keep:
        if column not in table.frame.columns:
            raise DataError(f"Column {column!r} of --keep is not in the table.{did_you_mean(column, list(table.frame.columns))}")
        if column in predictions.columns:
            raise DataError(f"Column {column!r} of --keep has the name of a column of predictions; rename it in the table.")
    return pd.concat([written_texts(table, keep), predictions], axis=1) if keep else predictions
