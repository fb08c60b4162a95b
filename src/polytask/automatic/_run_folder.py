"""The folder of a run that is under way, so that a killed run can go on."""

import json
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
            If ``resume`` is asked for and there is no run, or data, options, versions or threads differ from it, or the
            disk refuses.
        """
        marks, state = self.path / "run.json", self.path / "training.checkpoint"
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
            except OSError as error:
                raise OptionError(f"The run folder {str(self.path)!r} cannot be written: {error.strerror}.") from error
            write_file(marks, json.dumps(fingerprints, indent=1).encode())
        return Checkpoint(state)
