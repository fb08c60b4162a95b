"""benchmarks/quality/honesty.py: stopped and started again it goes on, and it finds what its results file says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not QUALITY.exists(), reason="the benchmarks are not in this copy")]


def run(*arguments):
    done = subprocess.run([sys.executable, QUALITY / "honesty.py", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_goes_on_where_it_stopped_and_finds_the_same(tmp_path):
    out = tmp_path / "results.jsonl"
    run("--scenario", "twins-300", "--runs", 100, "--out", out)
    first = out.read_text()
    printed = run("--scenario", "twins-300", "--runs", 100, "--out", out)
    assert out.read_text() == first
    assert "| twins-300 | 100 | 0.00" in printed
    stored = [json.loads(line) for line in (QUALITY / "results" / "honesty.jsonl").read_text().splitlines()]
    (same,) = [line for line in stored if (line["scenario"], line["first_seed"]) == ("twins-300", 0)]
    found, kept = (line["counts"]["rows and models"] for line in (json.loads(first), same))
    assert found["se_squared"] == pytest.approx(kept["se_squared"], rel=1e-3)  # other BLAS, other last digits
    assert found["covered"] == pytest.approx(kept["covered"], abs=3)
