"""Every script in examples/ runs as it is, and says what it promises."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SAYS = {
    "balancing": ["portuguese_grade   [", "Pairs that pulled apart:", "Best of three by mean skill"],
    "importance": ["math_grade: points of skill lost", "failures_math", "matters"],
    "students": ["math_grade", "The saved model predicts the same: True"],
    "compare_students": ["skill_together", "portuguese_grade"],
    "own_module": ["loaded, it predicts the same: True"],
    "schools": ["40 tasks; skill over all pupils 0.8", "1 of 2 rows get the mean over all tasks"],
    "stacked_tasks": ["visits    400         0   400", "verdict_over_alone"],
    "sklearn_pipeline": ["mean skill", "'higher': (674, 2)"],
    "plain_torch_loop": ["price   skill 0.9", "visits  skill"],
}


def test_every_example_is_checked():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_it_runs(name, capsys):
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    said = capsys.readouterr().out
    for words in SAYS[name]:
        assert words in said
