"""The folder of a run that is under way, so that a killed run can go on."""

import json
import shutil
from pathlib import Path
from typing import Any

from polytask.exceptions import OptionError
from polytask.storage import write_file
from polytask.training import Checkpoint


class RunFolder:
    """Keeps the state of a run, and fingerprints of what must not change.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: Any) -> None:
        self.path = Path(path)

    def open(self, fingerprints: dict[str, str], *, resume: bool) -> Checkpoint:
        """Start a run, or go on with the one there.

        Raises
        ------
        OptionError
            If ``resume`` is asked for and there is no run, or data, options, versions or threads differ from it (then it is
            left as it is), or the disk refuses.
        """
        marks, state = self._marks, self.path / "training.checkpoint"
        if resume:
            if not marks.exists():
                raise OptionError(f"There is no run to resume in {str(self.path)!r}. Start one without --resume (resume=False).")
            try:
                earlier = dict(json.loads(marks.read_text()))
            except (OSError, ValueError, TypeError) as error:
                raise OptionError(
                    f"The run in {str(self.path)!r} cannot be read ({error}). Start anew without --resume."
                ) from error
            for what, value in fingerprints.items():
                if earlier.get(what) != value:
                    detail = f": {earlier.get(what)} then, {value} now" if what in ("versions", "threads") else ""
                    raise OptionError(
                        f"The run in {str(self.path)!r} cannot be resumed: its {what} differ{detail}. "
                        "Resume with the same table, options, versions and threads, or start anew without --resume."
                    )
        else:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                state.unlink(missing_ok=True)
                shutil.rmtree(self.members, ignore_errors=True)
            except OSError as error:
                raise OptionError(f"The run folder {str(self.path)!r} cannot be written: {error.strerror}.") from error
        self._write(fingerprints)
        return Checkpoint(state)

    def note_ending(self, ended_by: str, *, steps: int) -> None:
        """Keep why the run ended and after how many steps, for whoever finds the folder."""
        self._write(json.loads(self._marks.read_text()) | {"ended_by": ended_by, "steps": steps})

    def ending(self) -> tuple[str, int] | None:
        """Why the run there ended and after how many steps; None if it did not come to an end, or cannot be read."""
        try:
            marks = dict(json.loads(self._marks.read_text()))
            return str(marks["ended_by"]), int(marks["steps"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @property
    def members(self) -> Path:
        """Where the models of a portfolio are kept, each in a folder of its own."""
        return self.path / "members"

    @property
    def _marks(self) -> Path:
        return self.path / "run.json"

    def _write(self, marks: dict[str, Any]) -> None:
        write_file(self._marks, json.dumps(marks, indent=1).encode())
