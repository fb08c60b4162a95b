"""``polytask fit``: learn all targets of a table and write a model folder."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from polytask.cli import _options as option
from polytask.cli._study import files_read, takes_study
from polytask.exceptions import ModelFolderError, OptionError

if TYPE_CHECKING:
    from polytask.automatic import MultiTaskPredictor, Study
    from polytask.data import ReadTable

_LIMITS = {"time": "--time-limit", "steps": "--max-steps"}  # how a run ended: the option that ended it


@takes_study(option.TABLE, option.COLUMNS, option.FIT, option.TRAINING, option.READING)
def fit(
    study: "Study",
    context: typer.Context,
    overwrite: option.Overwrite = False,
    resume: option.Resume = False,
    quiet: option.Quiet = False,
) -> None:
    """Learn all targets of a table together and write a model folder."""
    from polytask.automatic import check_gap, preset_of, read_study_table, study_predictor, study_targets, tell_time
    from polytask.cli._console import note
    from polytask.cli._output import check_report
    from polytask.cli._read import warn_of_missing_texts
    from polytask.cli._started import started
    from polytask.cli._threads import threads_for, use_threads
    from polytask.tasks import parse_targets

    if study.fit.out is None:
        raise OptionError("--out must name the model folder to write (`out` of `fit` in a study); got none.")
    check_gap(study)
    out = Path(study.fit.out)
    if out.name in ("", ".."):  # "", ".", "/"
        raise OptionError(f"--out must be a folder to make; got '{study.fit.out}'.")
    page = _beside(out, f".{study.fit.format or 'html'}") if study.fit.report is None else Path(study.fit.report)
    check_report(page, format=study.fit.format, inputs=files_read(context, study))
    run_folder = _check_places(out, overwrite=overwrite, resume=resume)
    predictor = study_predictor(study)
    table = read_study_table(study)
    if told := preset_of(predictor).sentence:
        note(told, quiet=quiet)
    is_portfolio = predictor.preset_ != "network"  # its fits have a thread each, and run side by side
    if not is_portfolio:
        predictor.threads = threads_for(study.threads, n_rows=len(table.frame))
    use_threads(1 if is_portfolio else predictor.threads)
    specs = parse_targets(study_targets(study), list(table.frame.columns))
    warn_of_missing_texts(table, [column for spec in specs for column in spec.sources])
    facts = {"data": table.source, "command": context.obj}
    names = [spec.name for spec in specs]
    with _kept(run_folder, resume=resume):
        _train(predictor, table, run_folder=run_folder, resume=resume, facts=facts, names=names, quiet=quiet)
        predictor.report_["study"] = (predictor.study_ or study).seen_from(page.parent).to_dict()
        predictor.save(out, overwrite=overwrite or resume)
    late = tell_time(predictor.report_, total=time.monotonic() - started()) if is_portfolio else ""
    _show(predictor, out=out, page=page, format=study.fit.format, quiet=quiet)
    if late:
        note(late, quiet=quiet)
    _end(predictor, out=out, run_folder=run_folder, quiet=quiet)


def _beside(out: Path, suffix: str) -> Path:
    return out.with_name(out.name + suffix)


def _check_places(out: Path, *, overwrite: bool, resume: bool) -> Path:
    """Refuse, before the work, a place that could not be written to or an unfinished run that would be lost; give its folder."""
    from polytask.storage import check_place  # what `save` checks after the work

    run_folder = _beside(out, ".run")
    if run_folder.exists() and not resume and not overwrite:
        told = _unfinished(run_folder, beside_model=(out / "manifest.json").exists())
        raise OptionError(f"{told}. Go on with it with --resume, or start anew with --overwrite.")
    check_place(out.resolve(), shown=str(out), overwrite=overwrite or resume)
    return run_folder


def _unfinished(run_folder: Path, *, beside_model: bool) -> str:
    """Say what is known of a run that was left; no full stop."""
    from polytask.automatic import RunFolder

    ended_by, steps = RunFolder(run_folder).ending() or ("", 0)
    after = f" after {_steps(steps)}" if steps else ""
    stopped = f", stopped by {_LIMITS[ended_by]}{after}" if ended_by in _LIMITS else ""
    there = "--out already holds a model, and there" if beside_model else "There"
    return f"{there} is an unfinished run in '{run_folder}'{stopped}"


def _steps(count: int) -> str:
    return f"{count:,} step{'s' if count != 1 else ''}"


def _train(
    predictor: "MultiTaskPredictor",
    table: "ReadTable",
    *,
    run_folder: Path,
    resume: bool,
    facts: dict[str, Any],
    names: Sequence[str],
    quiet: bool,
) -> None:
    from polytask.cli._progress import epoch_progress, model_progress
    from polytask.cli._started import started

    settings: dict[str, Any] = {"run_folder": run_folder, "resume": resume, "facts": facts}
    if predictor.preset_ == "network":
        with epoch_progress(names, quiet=quiet) as on_epoch:
            predictor.fit(table.frame, on_epoch=on_epoch, **settings)
    else:
        predictor.fit(table.frame, on_model=model_progress(quiet=quiet), started=started(), **settings)


@contextmanager
def _kept(run_folder: Path, *, resume: bool) -> Iterator[None]:
    """Whatever ends the work before the model is saved: keep what is done, and say how to go on with it."""
    try:
        yield
    except BaseException as error:
        if not resume:  # what is there is another run, which may still be gone on with
            remove_run(run_folder, unless_started=True)
        go_on = f"Go on with what is done by adding --resume to the command; it is kept in '{run_folder}'."
        if isinstance(error, KeyboardInterrupt):
            error.add_note(go_on if run_folder.exists() else "Nothing was finished, so there is nothing to keep.")
        elif isinstance(error, ModelFolderError) and not resume and run_folder.exists():  # such as a disk that is full
            raise ModelFolderError(f"{error} {go_on}") from error
        raise


def _show(predictor: "MultiTaskPredictor", *, out: Path, page: Path, format: str | None, quiet: bool) -> None:
    from polytask.cli._console import console, say
    from polytask.cli._output import write_report
    from polytask.reporting import fit_sentence, fit_table, leaderboard_table

    if not quiet:
        console().print(fit_table(predictor.report_))
        if "leaderboard" in predictor.report_:
            console().print(leaderboard_table(predictor.report_))
    write_report(page, predictor.report_, format=format)
    say(f"\n{fit_sentence(predictor.report_)}\nModel: {out}{_size(predictor, out)}\nReport: {page}", quiet=quiet)


def _size(predictor: "MultiTaskPredictor", out: Path) -> str:
    """What a portfolio takes on the disk, in brackets."""
    if "leaderboard" not in predictor.report_:
        return ""
    n_bytes = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    return f" ({n_bytes / 1e6:,.1f} MB)"


def _end(predictor: "MultiTaskPredictor", *, out: Path, run_folder: Path, quiet: bool) -> None:
    """Remove the state of a run that came to its end; one that was stopped can be gone on with, and that is told."""
    from polytask.cli._console import note

    ended_by, steps = predictor.report_["ended_by"], predictor.report_.get("steps", 0)
    if ended_by == "interrupt":
        stop = KeyboardInterrupt()
        stop.add_note(f"The best epoch until now is kept in '{out}'; add --resume to the command to go on.")
        raise stop
    if ended_by in ("patience", "epochs", "candidates", "gain"):
        remove_run(run_folder)
    if ended_by == "time" and "leaderboard" in predictor.report_:
        left_out = len(predictor.report_["left_out_models"])
        models = f"{left_out} model{'s' if left_out != 1 else ''}"
        told = (
            f"The time limit left {models} out"
            if left_out
            else "The time limit made models smaller, or ended them after some of the tasks"
        )
        more = " with a longer --time-limit" if left_out else ""
        note(f"{told}; add --resume{more} to go on; the fitted ones are in '{run_folder}'.", quiet=quiet)
        return
    if ended_by in _LIMITS:
        again = f" (--max-steps {steps} repeats it)" if ended_by == "time" and steps else ""
        stopped = f"Stopped by {_LIMITS[ended_by]} after {_steps(steps)}{again}"
        note(f"{stopped}; add --resume to go on; the state is in '{run_folder}'.", quiet=quiet)


def remove_run(folder: Path, *, unless_started: bool = False) -> None:
    """Remove the files of a run, and the folder if nothing else is in it."""
    states, members = list(folder.glob("training*.checkpoint")), folder / "members"
    if (states or any(members.glob("*/manifest.json"))) and unless_started:
        return
    shutil.rmtree(members, ignore_errors=True)
    for file in (*states, folder / "run.json"):
        file.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
