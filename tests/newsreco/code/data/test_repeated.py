"""Overlapping exports and header lines: lines that are there twice count once, headers never."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsreco.data import load_mind

NEWS = [f"N{n}\ta\tb\ttitle {n}\tabstract\turl\t[]\t[]" for n in range(1, 4)]
IMPRESSIONS = [
    "1\tU5\t11/13/2019 8:36:57 AM\tN3 N1\tN2-1 N1-0",
    "2\tU6\t11/12/2019 11:00:00 PM\t\tN3-0 N2-0 N1-1",
    "3\tU5\t11/14/2019 12:00:00 AM\tN3 N1\tN3-1",
]
SAME_ID = "1\tU7\t11/13/2019 9:00:00 AM\t\tN1-1 N2-0"
NEWS_HEADERS = (
    "news_id\tcategory\tsubcategory\ttitle\tabstract\turl\ttitle_entities\tabstract_entities",
    "NewsID\tCategory\tSubCategory\tTitle\tAbstract\tURL\tTitle Entities\tAbstract Entities",
    "id\tcategory\tx\tTITLE\t\t\t\t",
)
BEHAVIORS_HEADERS = (
    "impression_id\tuser_id\ttime\thistory\timpressions",
    "Impression ID\tUser ID\tTime\tHistory\tImpressions",
    "id\tuser\ttimestamp\tx\ty",
)


def load(*parts, strict=False):
    """The log of one folder of (news, impressions), or of several sub-folders in order."""
    with TemporaryDirectory() as folder:
        for number, (news, impressions) in enumerate(parts):
            part = Path(folder, f"part{number}" if len(parts) > 1 else "")
            part.mkdir(exist_ok=True)
            (part / "news.tsv").write_text("\n".join(news), encoding="utf-8")
            (part / "behaviors.tsv").write_text("\n".join(impressions), encoding="utf-8")
        return load_mind(folder, strict, progress=False)


def behaviors(report):
    return [file for file in report.files if file.file.endswith("behaviors.tsv")]


def test_identical_impression_in_one_file_counts_once():
    expected, _ = load((NEWS, IMPRESSIONS))
    log, report = load((NEWS, [*IMPRESSIONS, IMPRESSIONS[0], IMPRESSIONS[0]]), strict=True)
    assert log.fingerprint() == expected.fingerprint() and log.impressions.ids == ["2", "1", "3"]
    (file,) = behaviors(report)
    assert (file.lines, file.read, file.repeated, file.same_id) == (5, 3, 2, 0)
    assert report.clean and report.lost == {"lines": 0, "entries": 0, "clicks": 0}
    assert "behaviors.tsv: 2 repeated, identical to an earlier line" in str(report)
    assert "2 repeated lines left out, which is no loss" in report.passed_over()
    assert report.as_dict()["files"][1]["repeated"] == 2


def test_identical_impression_of_another_folder_counts_once():
    expected, _ = load((NEWS, IMPRESSIONS))
    log, report = load((NEWS, IMPRESSIONS[:2]), (NEWS, IMPRESSIONS[1:]))
    assert log.fingerprint() == expected.fingerprint()
    assert [file.repeated for file in behaviors(report)] == [0, 1]


@pytest.mark.parametrize("column", [0, 1, 2, 3, 4])
def test_impression_that_differs_in_any_column_is_kept(column):
    columns = IMPRESSIONS[0].split("\t")
    columns[column] = ["9", "U9", "11/13/2019 8:36:58 AM", "N3", "N2-1"][column]
    log, report = load((NEWS, [*IMPRESSIONS, "\t".join(columns)]), strict=True)
    assert len(log.impressions) == 4
    (file,) = behaviors(report)
    assert (file.repeated, file.same_id) == (0, int(column != 0))


def test_impression_that_only_shares_an_id_is_kept_and_reported():
    log, report = load((NEWS, [*IMPRESSIONS, SAME_ID]), strict=True)
    assert log.impressions.ids == ["2", "1", "1", "3"]
    assert behaviors(report)[0].same_id == 1 and report.clean
    assert "1 read, although an earlier impression has the same id" in str(report)
    log, report = load((NEWS, IMPRESSIONS), (NEWS, [SAME_ID]))
    assert [file.same_id for file in behaviors(report)] == [0, 1] and len(log.impressions) == 4


def test_bad_line_that_is_repeated_is_bad_twice():
    _, report = load((NEWS, [*IMPRESSIONS, "4\tU5\tnever\t\tN1-1", "4\tU5\tnever\t\tN1-1"]))
    (file,) = behaviors(report)
    assert (file.repeated, file.skipped.total()) == (0, 2)


def test_identical_article_in_one_file_is_no_loss_and_a_changed_one_is_left_out():
    changed = NEWS[0].replace("title", "headline")
    log, report = load(([*NEWS, NEWS[0], changed], IMPRESSIONS))
    assert log.articles.title[0] == "title 1" and len(log.articles) == 3
    news = report.files[0]
    assert (news.repeated, dict(news.skipped)) == (1, {"article id seen before": 1})


@pytest.mark.parametrize("header", NEWS_HEADERS)
@pytest.mark.parametrize("other", BEHAVIORS_HEADERS)
def test_header_lines_are_recognised(header, other):
    expected, _ = load((NEWS, IMPRESSIONS))
    log, report = load(([header, *NEWS], [other, *IMPRESSIONS]), strict=True)
    assert log.fingerprint() == expected.fingerprint()
    assert [file.headers for file in report.files] == [1, 1] and report.clean
    assert "news.tsv: 1 header" in str(report) and "2 header lines" in report.passed_over()


def test_file_with_nothing_but_a_header_is_refused():
    with pytest.raises(ValueError, match="holds an impression that can be read: only a header"):
        load((NEWS, [BEHAVIORS_HEADERS[0]]))


@pytest.mark.parametrize(
    "line", ["N4\tcategory\tb\tTitle fight\t\t\t\t", "N4\tx\tb\ttitle\t\t\t\t",
             "id\tsoccer\tb\ttitle\t\t\t\t"],
)  # fmt: skip
def test_article_with_words_of_a_header_is_an_article(line):
    log, report = load(([line, *NEWS], IMPRESSIONS), strict=True)
    assert len(log.articles) == 4 and report.files[0].headers == 0


def test_impression_of_a_user_called_user_is_an_impression():
    line = IMPRESSIONS[0].replace("U5", "user").replace("1\t", "4\t", 1)
    log, report = load((NEWS, [line, *IMPRESSIONS]), strict=True)
    assert "user" in log.user_ids and behaviors(report)[0].headers == 0


impressions = st.builds(
    "{}\tU{}\t11/13/2019 8:{:02d}:00 AM\t{}\t{}".format,
    st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.sampled_from(["", "N1", "N2 N9"]),
    st.sampled_from(["N1-1", "N1-0 N2-1", "N3-0 N1-0 N2-0", "N9-1 N2-0"]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.lists(impressions, min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_repetitions_and_headers_anywhere_change_nothing(lines, again, rng):
    """Whatever is repeated, after its original, in the same file or in a later folder."""
    lines = list(dict.fromkeys(lines))
    expected, clean = load((NEWS, lines))
    parts = [list(lines), [], []]
    for number, part in again:
        line = lines[number % len(lines)]
        first = parts[0].index(line) + 1 if part == 0 else 0
        parts[part].insert(random.Random(rng.random()).randint(first, len(parts[part])), line)
    for part in parts:
        part.insert(rng.randint(0, len(part)), rng.choice(BEHAVIORS_HEADERS))
    log, report = load(*((NEWS, part) for part in parts))
    assert log.fingerprint() == expected.fingerprint()
    assert log.impressions.ids == expected.impressions.ids
    assert sum(file.repeated for file in behaviors(report)) == len(again)
    assert [file.headers for file in behaviors(report)] == [1, 1, 1]
    assert report.lost == clean.lost
