"""Tiny tables on disk, and one fitted model for all tests of this room."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from polytask.cli import run


class Shown(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def polytask(capsys: pytest.CaptureFixture[str]) -> Callable[..., Shown]:
    """Run the words of a command line in this process."""

    def call(*words: object) -> Shown:
        capsys.readouterr()
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Shown(code, out, err)

    return call


def make_frame(n: int = 80, *, seed: int = 0) -> pd.DataFrame:
    """Houses with five targets of different kinds, some labels missing, and names with signs in them."""
    rng = np.random.default_rng(seed)
    area, rooms = rng.uniform(30, 200, n).round(1), rng.integers(1, 7, n)
    quality = area / 50 + rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "id": [f"{i:04d}" for i in range(n)],
            "area": area,
            "rooms": rooms,
            "city": rng.choice(["Oslo", "Bergen", "Rome"], n),
            "site:plot*": rng.normal(size=n).round(3),
            "price": (2 * area + 10 * rooms + rng.normal(0, 5, n)).round(1),
            "sold": np.where(quality + rng.normal(size=n) > 2.5, "yes", "no"),
            "grade": pd.cut(quality, [-9, 1, 3, 99], labels=[1, 2, 3]).astype(float),
            "visits": rng.poisson(rooms),
            "y_sun": (rng.random(n) < 0.5).astype(int),
            "y_sea": (area > 100).astype(int),
        }
    )
    frame.loc[::7, "price"] = np.nan
    frame.loc[1::9, "sold"] = None
    frame.loc[2::11, "grade"] = np.nan
    return frame


TARGETS = ("price", "sold", "grade:ordinal", "visits:count", "tags=y_*:multilabel")


def target_words(specs: Sequence[str] = TARGETS) -> list[str]:
    """The targets as options."""
    return [word for spec in specs for word in ("--target", spec)]


@pytest.fixture
def frame() -> pd.DataFrame:
    """The table that :func:`make_frame` makes."""
    return make_frame()


@pytest.fixture
def table(tmp_path: Path, frame: pd.DataFrame) -> Path:
    """The same as a file."""
    path = tmp_path / "train.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder fitted on the table; do not write into it."""
    folder = tmp_path_factory.mktemp("fitted")
    make_frame().to_csv(folder / "train.csv", index=False)
    words = [
        "fit",
        folder / "train.csv",
        *target_words(),
        "--ignore",
        "id",
        "--out",
        folder / "model",
        "--max-steps",
        20,
        "--quiet",
    ]
    assert run([str(word) for word in words]) == 0
    return folder / "model"
