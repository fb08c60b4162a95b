import subprocess
import sys
import time

from polytask.automatic._clock import Clock, seconds_since_start


def test_the_start_of_the_process_counts():
    code = "import time; time.sleep(0.5); from polytask.automatic._clock import seconds_since_start as s; print(s())"
    found = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert found > 0.5


def test_without_proc_the_processor_time_stands_for_it(monkeypatch):
    def refuse(*args, **settings):
        raise OSError

    monkeypatch.setattr("builtins.open", refuse)
    assert 0 < seconds_since_start() <= time.process_time()


def test_a_clock_without_a_limit_never_ends():
    assert Clock().left() == float("inf")


def test_time_before_the_clock_counts_where_its_start_is_given():
    assert 6.9 < Clock(10, started=time.monotonic() - 3).left() <= 7
