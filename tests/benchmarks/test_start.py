"""The first training, timed: what is measured, in which order."""

import time

from benchmarks import start


def test_each_situation_is_measured_in_every_run(monkeypatch, capsys):
    calls = []

    def train(folder, *options):
        calls.append((folder, options))
        sum(range(10**6))  # processor time of this process is not a training's

    monkeypatch.setattr(start, "train", train)
    monkeypatch.setattr(start, "make_sample", lambda folder: calls.append((folder, "sample")))
    start.main(["--runs", "2"])
    assert [what for _, what in calls] == ["sample", (), (), ("--no-tracking",)] * 2
    assert len({folder for folder, _ in calls}) == 2, "each run has a folder of its own"
    head, *rows = capsys.readouterr().out.splitlines()[1:]
    assert head.split() == ["training", "elapsed", "processor"]
    assert [row.split()[0] for row in rows] == ["first", "second", "untracked"]
    assert all(row.endswith("0.0 s") for row in rows)


def test_elapsed_seconds_are_those_of_the_clock(monkeypatch, tmp_path):
    monkeypatch.setattr(start, "train", lambda folder, *options: time.sleep(0.2))
    elapsed, processor = start.measured(tmp_path)
    assert 0.2 <= elapsed < 2 and processor < 0.1
