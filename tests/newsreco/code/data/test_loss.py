"""Fractions of a log that reading loses, and the limit that stops."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsreco.data import load_articles, load_mind

NEWS = [f"N{n}\ta\tb\tc\td\te\t[]\t[]" for n in range(1, 5)]
GOOD = "{}\tU{}\t11/13/2019 8:36:57 AM\tN1\tN2-1 N1-0"
NO_TIME = "{}\tU{}\tnever\tN1\tN2-1 N1-1 N3-0"


def load(folder, impressions, news=NEWS):
    folder.mkdir(exist_ok=True)
    (folder / "news.tsv").write_text("\n".join(news))
    (folder / "behaviors.tsv").write_text("\n".join(impressions))
    return load_mind(folder, progress=False)[1]


def test_fractions_by_hand(tmp_path):
    """Of 7 impressions one has no time, one unknown entries; all 4 articles are good.

    Entries shown: 5 x 2, 3 of the line without time, 4 of the last; and 6 earlier clicks, of the
    users of read impressions. Clicks: 5 + 2 + 2.
    """
    unknown = "7\tU7\t11/13/2019 8:36:57 AM\tN9\tN9-1 N8-0 N1-1 N2-0"
    lines = [*(GOOD.format(n, n) for n in range(1, 6)), NO_TIME.format(6, 6), unknown]
    report = load(tmp_path, lines)
    assert report.lost == pytest.approx({"lines": 1 / 7, "entries": 6 / 23, "clicks": 3 / 9})
    assert report.metrics() == {f"lost_{what}": value for what, value in report.lost.items()}
    assert report.as_dict()["lost"] == report.lost
    expected = "14.3% of the lines, 26.1% of the entries and 33.3% of the clicks"
    assert f"lost: {expected}" in str(report) and f"({expected})" in report.short()


def test_history_is_counted_once_per_user(tmp_path):
    lines = [f"{n}\tU1\t11/13/2019 8:36:0{n} AM\tN9 N8\tN1-1" for n in range(6)]
    assert load(tmp_path, lines).lost["entries"] == 2 / 8


def test_second_entry_of_an_article_is_lost(tmp_path):
    report = load(tmp_path, ["1\tU1\t11/13/2019 8:36:57 AM\t\tN1-0 N2-1 N1-1 N3-0"])
    assert report.lost == {"lines": 0, "entries": 1 / 4, "clicks": 1 / 2}


def test_limit_names_each_fraction_and_the_option(tmp_path):
    report = load(tmp_path, [GOOD.format(1, 1), NO_TIME.format(2, 2)])
    assert report.lost == pytest.approx({"lines": 1 / 2, "entries": 3 / 6, "clicks": 2 / 3})
    report.check_loss(0.67)
    with pytest.raises(ValueError, match=r"50.0% of the lines, 50.0% of the entries and 66.7% of"):
        report.check_loss(0.66)
    with pytest.raises(
        ValueError, match=r"max-loss allows 20.0%, the first: behaviors.tsv:2: time"
    ):
        report.check_loss(0.2)
    for wrong in (-0.1, 1.1, float("nan"), "0.2"):
        with pytest.raises(ValueError, match="max-loss must be"):
            report.check_loss(wrong)


@pytest.mark.parametrize("lost", ["lines", "entries", "clicks"])
def test_each_fraction_stops_alone(tmp_path, lost):
    bad = {
        "lines": ["x"] * 2,
        "entries": ["8\tU1\t11/13/2019 9:00:00 AM\t\tN1-0 N8-0 N9-0 N7-0 N6-0"],
        "clicks": ["8\tU1\t11/13/2019 9:00:00 AM\t\tN1-0 N8-1 N9-1"],
    }[lost]
    good = [GOOD.format(n, n) for n in range(1, 5)]
    report = load(tmp_path, [*good, *bad])
    assert [what for what, value in report.lost.items() if value > 0.2] == [lost]
    with pytest.raises(ValueError, match="cannot be used"):
        report.check_loss(0.2)


def test_loss_equal_to_the_limit_is_allowed(tmp_path):
    report = load(tmp_path, [*(GOOD.format(n, n) for n in range(1, 5)), "x"])
    assert report.lost["lines"] == 0.2
    report.check_loss(0.2)


def test_test_set_beside_the_training_data_is_no_loss(tmp_path):
    without = [f"{n}\tU1\t11/14/2019 1:00:00 AM\tN3\tN1 N2" for n in range(9)]
    for name, lines in (("train", [GOOD.format(1, 1)]), ("test", without)):
        part = tmp_path / name
        part.mkdir()
        (part / "news.tsv").write_text("\n".join(NEWS))
        (part / "behaviors.tsv").write_text("\n".join(lines))
    report = load_mind(tmp_path, progress=False)[1]
    assert report.lost == {"lines": 0, "entries": 0, "clicks": 0} and not report.clean
    mixed = load(tmp_path / "train", [GOOD.format(1, 1), *without])
    assert mixed.lost["lines"] == 9 / 10


def test_lines_lost_are_those_of_the_worse_file(tmp_path):
    impressions = [GOOD.format(n, n) for n in range(50)]
    assert load(tmp_path, impressions, [*NEWS, "x"]).lost["lines"] == 1 / 5
    articles = [*NEWS, *(f"N{n}\ta\tb\tc\td\te\t[]\t[]" for n in range(10, 500))]
    assert load(tmp_path, [*impressions, *["cut"] * 50], articles).lost["lines"] == 1 / 2


def test_articles_alone_have_a_loss_of_lines(tmp_path):
    load(tmp_path, [GOOD.format(1, 1)], [*NEWS, "x"])
    report = load_articles(tmp_path, progress=False)[1]
    assert report.lost == {"lines": 1 / 5, "entries": 0, "clicks": 0}


@settings(deadline=None)
@given(st.integers(0, 12), st.integers(1, 12))
def test_fraction_of_lines_is_that_of_the_bad_ones(tmp_path_factory, bad, good):
    lines = [GOOD.format(n, n) for n in range(good)] + [NO_TIME.format(n, n) for n in range(bad)]
    report = load(tmp_path_factory.mktemp("data"), lines)
    assert report.lost["lines"] == pytest.approx(bad / (bad + good))
    assert report.lost["clicks"] == pytest.approx(2 * bad / (2 * bad + good))
    assert report.lost["entries"] == pytest.approx(3 * bad / (3 * bad + 3 * good))
