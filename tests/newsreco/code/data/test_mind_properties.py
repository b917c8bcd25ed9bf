"""The loader counts every line, valid or not, and raises nothing else than ValueError."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsreco.data import load_mind
from newsreco.data.times import mind_time, parse_time

ids = st.sampled_from(["N1", "N2", "N3", "N9", "", " ", "N1-0", "x"])
tokens = st.builds(
    "".join, st.tuples(ids, st.sampled_from(["-0", "-1", "-0", "-1", "", "-", "-2", "-10"]))
)
times = st.one_of(
    st.sampled_from(["11/13/2019 8:36:57 AM", "1/1/0001 1:00:00 AM", "2019-11-13T08:00:00+23:59"]),
    st.text(max_size=12),
)
junk = st.one_of(st.binary(max_size=40), st.text(max_size=40).map(lambda t: t.encode("utf-8")))
columns = st.one_of(st.text(max_size=8), ids, st.sampled_from(["[]", "[", '[{"WikidataId":"Q1"}]']))


def joined(*parts):
    return "\t".join(parts).encode("utf-8", "surrogatepass")


news_lines = st.one_of(junk, st.lists(columns, min_size=7, max_size=9).map(lambda c: joined(*c)))
visit_lines = st.one_of(
    junk,
    st.builds(
        joined,
        st.sampled_from(["1", "2", "3", "4", "5", ""]),
        st.sampled_from(["U1", "U2", "U3", ""]),
        times,
        st.lists(ids, max_size=4).map(" ".join),
        st.lists(tokens, max_size=5).map(" ".join),
    ),
)
FIRST = [b"N1\ta\tb\tc\td\te\t[]\t[]", b"N2\ta\tb\tc\td\te\t[]\t[]"]
SURE = b"0\tU0\t11/13/2019 8:36:57 AM\tN1\tN1-0 N2-1"


def load(news, impressions, strict=False):
    with TemporaryDirectory() as folder:
        Path(folder, "news.tsv").write_bytes(b"\n".join(news))
        Path(folder, "behaviors.tsv").write_bytes(b"\n".join(impressions))
        return load_mind(folder, strict, progress=False)


def lines_in(parts):
    text = b"\n".join(parts)
    return text.count(b"\n") + (not text.endswith(b"\n")) if text else 0


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(news_lines, max_size=6), st.lists(visit_lines, max_size=8))
def test_every_line_is_counted_and_the_log_is_consistent(news, impressions):
    news, impressions = [*FIRST, *news], [SURE, *impressions]
    log, report = load(news, impressions)
    for file, parts in zip(report.files, (news, impressions)):
        assert file.lines == lines_in(parts)
        assert file.read + file.skipped.total() + file.repeated + file.headers == file.lines
    assert all(0 <= fraction <= 1 for fraction in report.lost.values())
    shown = log.impressions
    assert (report.files[0].read, report.files[1].read) == (log.n_items, len(shown))
    assert report.sizes["shown"] == len(shown.item) == shown.start[-1]
    assert (np.diff(shown.start) >= 1).all()
    assert (np.diff(shown.time) >= 0).all()
    assert set(shown.item) <= set(range(log.n_items))
    assert set(log.history_item) <= set(range(log.n_items))
    assert set(shown.user) == set(range(log.n_users))
    assert len(log.history_start) == log.n_users + 1
    log.fingerprint()


@settings(max_examples=200)
@given(st.lists(news_lines, max_size=4), st.lists(visit_lines, max_size=4))
def test_strict_raises_only_if_something_is_left_out(news, impressions):
    news, impressions = [*FIRST, *news], [SURE, *impressions]
    _, report = load(news, impressions)
    try:
        load(news, impressions, strict=True)
        stopped = False
    except ValueError as error:
        stopped = True
        assert ".tsv:" in str(error)
    assert stopped != report.clean


@settings(max_examples=200)
@given(st.lists(junk, max_size=5), st.lists(junk, max_size=5))
def test_junk_alone_is_a_value_error(news, impressions):
    try:
        load(news, impressions)
    except ValueError:
        return
    raise AssertionError("junk was read as a log")


@settings(max_examples=300)
@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_a_written_time_is_read_again(seconds):
    assert parse_time(mind_time(float(seconds))) == seconds
