"""The loader: what it reads, what it leaves out and why, and what it refuses."""

import json
from dataclasses import fields

import numpy as np
import pytest

from newsreco.data import load_articles, load_mind
from newsreco.data.times import parse_time

NEWS = [
    "N1\tsoccer\tleague\tRovers win\tRovers won.\thttps://a\t[]\t[]",
    'N2\tfood\trecipes\tSoup\t\thttps://b\t[{"WikidataId": "Q7"}]\t[{"WikidataId": "Q9"}]',
    "N3\tsoccer\tcup\tCup shock\tA shock.\thttps://c\t\t",
]
IMPRESSIONS = [
    "1\tU5\t11/13/2019 8:36:57 AM\tN3 N1\tN2-1 N1-0",
    "2\tU6\t11/12/2019 11:00:00 PM\t\tN3-0 N2-0 N1-1",
    "3\tU5\t11/14/2019 12:00:00 AM\tN3 N1\tN3-1",
]


@pytest.fixture
def write(tmp_path):
    """Write a folder of lines: str or bytes; a name such as train/ makes it a sub-folder."""

    def write(news=NEWS, impressions=IMPRESSIONS, name="", end="\n"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for file, lines in (("news.tsv", news), ("behaviors.tsv", impressions)):
            coded = [line if isinstance(line, bytes) else line.encode() for line in lines]
            (folder / file).write_bytes(b"".join(line + end.encode() for line in coded))
        return tmp_path

    return write


def load(folder, strict=False):
    return load_mind(folder, strict, progress=False)


def counts(report, file):
    found = next(f for f in report.files if f.file == file)
    known = found.read + found.headers + found.repeated
    assert known + found.skipped.total() == found.lines
    return dict(found.skipped), dict(found.dropped)


def same_log(a, b):
    """Equal in every array and list."""
    for one, other in ((a, b), (a.articles, b.articles), (a.impressions, b.impressions)):
        for field in fields(one):
            x, y = getattr(one, field.name), getattr(other, field.name)
            if isinstance(x, np.ndarray):
                assert x.dtype == y.dtype, field.name
                np.testing.assert_array_equal(x, y, field.name)
            elif field.name not in ("articles", "impressions"):
                assert x == y, field.name


def test_a_clean_folder_by_hand(write):
    log, report = load(write())
    assert report.clean
    assert report.sizes == {
        "articles": 3,
        "users": 2,
        "impressions": 3,
        "shown": 6,
        "clicks": 3,
    }
    a, shown = log.articles, log.impressions
    assert a.ids == ["N1", "N2", "N3"]
    assert (a.categories, a.category.tolist()) == (["soccer", "food"], [0, 1, 0])
    assert a.subcategories == ["league", "recipes", "cup"]
    assert a.abstract[1] == ""
    assert a.entities == [(), ("Q7", "Q9"), ()]
    assert shown.ids == ["2", "1", "3"]  # in the order of time
    assert log.user_ids == ["U6", "U5"]  # by first appearance in time
    assert shown.user.tolist() == [0, 1, 1]
    assert shown.time.tolist() == [1573599600, 1573634217, 1573689600]
    assert shown.start.tolist() == [0, 3, 5, 6]
    assert shown.item.tolist() == [2, 1, 0, 1, 0, 2]
    assert shown.clicked.tolist() == [False, False, True, True, False, True]
    assert log.history_start.tolist() == [0, 0, 2]
    assert log.history_item.tolist() == [2, 0]


def test_articles_do_not_depend_on_the_clicks(write):
    folder = write(impressions=["no\timpression"])
    articles, report = load_articles(folder, progress=False)
    whole, _ = load(write())
    assert articles.ids == whole.articles.ids == ["N1", "N2", "N3"]
    assert articles.title == whole.articles.title
    assert articles.entities == whole.articles.entities
    assert [file.file for file in report.files] == ["news.tsv"]
    assert report.clean and "3 articles" in str(report)
    with pytest.raises(ValueError, match="holds an article"):
        load_articles(write(news=["N1"]), progress=False)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_line_ends_and_byte_order_marks_change_nothing(write, end, mark, last):
    expected, _ = load(write())
    folder = write(end=end)
    for name in ("news.tsv", "behaviors.tsv"):
        text = (folder / name).read_bytes().removesuffix(end.encode())
        (folder / name).write_bytes(mark + text + (end if last else "").encode())
    found, report = load(folder)
    assert report.clean
    same_log(found, expected)


BAD_IMPRESSIONS = {
    "truncated line": (b"4\tU5\t11/14/2019 1:00:00 AM\tN3", "wrong number of columns"),
    "too many columns": ("4\tU5\t11/14/2019 1:00:00 AM\tN3\tN1-0\tx", "wrong number of columns"),
    "empty line": ("", "empty line"),
    "not UTF-8": (b"4\tU\xff\t11/14/2019 1:00:00 AM\tN3\tN1-0", "not UTF-8"),
    "time": ("4\tU5\t14.11.2019 1:00\tN3\tN1-0", "time unreadable"),
    "month 13": ("4\tU5\t13/13/2019 1:00:00 AM\tN3\tN1-0", "time unreadable"),
    "hour 13 PM": ("4\tU5\t11/13/2019 13:00:00 PM\tN3\tN1-0", "time unreadable"),
    "no time": ("4\tU5\t\tN3\tN1-0", "time unreadable"),
    "label 2": ("4\tU5\t11/14/2019 1:00:00 AM\tN3\tN1-2 N2-0", "label is not 0 or 1"),
    "label 10": ("4\tU5\t11/14/2019 1:00:00 AM\tN3\tN1-10", "label is not 0 or 1"),
    "one label missing": ("4\tU5\t11/14/2019 1:00:00 AM\tN3\tN1 N2-0", "label is not 0 or 1"),
    "test set": ("4\tU5\t11/14/2019 1:00:00 AM\tN3\tN1 N2", "no labels, as in a test set"),
    "nothing shown": ("4\tU5\t11/14/2019 1:00:00 AM\tN3\t", "nothing shown"),
    "no known article": ("4\tU5\t11/14/2019 1:00:00 AM\tN3\tN8-0 N9-1", "no known article shown"),
    "no user": ("4\t\t11/14/2019 1:00:00 AM\tN3\tN1-0", "no impression id or no user id"),
    "zero byte": ("4\tU5\t11/14/2019 1:00:00 AM\tN3\tN1-0 N2\0-1", "zero byte"),
    "bell in an id": ("4\tU\a5\t11/14/2019 1:00:00 AM\tN3\tN1-0", "control character in an id"),
    "id turned around": ("4\u202e\tU5\t11/14/2019 1:00:00 AM\tN3\tN1-0", "control character in an"),
}


@pytest.mark.parametrize("line", BAD_IMPRESSIONS, ids=str)
def test_an_invalid_impression_is_left_out_and_reported(write, line):
    line, reason = BAD_IMPRESSIONS[line]
    expected, _ = load(write())
    folder = write(impressions=[*IMPRESSIONS[:2], line, IMPRESSIONS[2]])
    found, report = load(folder)
    same_log(found, expected)
    ((found, n),) = counts(report, "behaviors.tsv")[0].items()
    assert found.startswith(reason) and n == 1 and not counts(report, "behaviors.tsv")[1]
    assert (report.problems[0].line, report.problems[0].reason) == (3, found)
    with pytest.raises(ValueError, match=rf"behaviors\.tsv:3: {reason}"):
        load(folder, strict=True)


BAD_NEWS = {
    "truncated": ("N4\tsoccer\tleague\tRovers", "wrong number of columns"),
    "not UTF-8": (b"N4\tsoccer\tleague\t\xe9\t\t\t[]\t[]", "not UTF-8"),
    "duplicate": ("N1\tfood\trecipes\tX\tY\tZ\t[]\t[]", "article id seen before"),
    "no id": ("\tfood\trecipes\tX\tY\tZ\t[]\t[]", "no article id"),
    "id with a space": ("N 4\tfood\trecipes\tX\tY\tZ\t[]\t[]", "no article id"),
    "zero byte": ("N4\tfood\trecipes\tX\0\tY\tZ\t[]\t[]", "zero byte"),
    "escape in the id": ("N\x1b4\tfood\trecipes\tX\tY\tZ\t[]\t[]", "control character in the id"),
}


@pytest.mark.parametrize("line", BAD_NEWS, ids=str)
def test_an_invalid_article_is_left_out_and_reported(write, line):
    line, reason = BAD_NEWS[line]
    expected, _ = load(write())
    folder = write(news=[NEWS[0], line, *NEWS[1:]])
    found, report = load(folder)
    same_log(found, expected)
    assert counts(report, "news.tsv") == ({reason: 1}, {})
    with pytest.raises(ValueError, match=rf"news\.tsv:2: {reason}"):
        load(folder, strict=True)


@pytest.mark.parametrize(
    "column",
    [
        "[",
        "{}x",
        '[{"Id": 1}]',
        "7",
        '["Q1"]',
        '[{"WikidataId": 3}]',
        "[" * 100_000,
        '"Q1"',
        r'[{"WikidataId": "Q\u0000"}]',
        '[{"WikidataId": ""}]',
    ],
)
def test_invalid_entities_are_left_out_and_counted(write, column):
    folder = write(news=[*NEWS, f"N4\tfood\trecipes\tX\tY\tZ\t{column}\t[]"])
    log, report = load(folder)
    assert log.articles.entities[3] == ()
    assert counts(report, "news.tsv") == ({}, {"entities unreadable": 1})
    with pytest.raises(ValueError, match=r"news\.tsv:4: entities unreadable"):
        load(folder, strict=True)


def test_only_entries_of_unknown_and_repeated_articles_are_left_out(write):
    line = "4\tU7\t11/15/2019 1:00:00 AM\tN9 N1 N8\tN8-1 N2-0 N1-1 N2-1 N7-0"
    folder = write(impressions=[*IMPRESSIONS, line])
    log, report = load(folder)
    last = log.impressions.rows(3, 4)
    assert (last.item.tolist(), last.clicked.tolist()) == ([1, 0], [False, True])
    assert log.history_item[log.history_start[2] :].tolist() == [0]
    assert counts(report, "behaviors.tsv")[1] == {
        "shown article not in news.tsv": 2,
        "article shown twice": 1,
        "earlier click on an article not in news.tsv": 2,
    }
    with pytest.raises(ValueError, match=r"behaviors\.tsv:4: shown article not in news\.tsv \(N8"):
        load(folder, strict=True)


def test_history_is_that_of_the_earliest_impression(write):
    impressions = [
        "1\tU5\t11/13/2019 8:00:00 AM\tN9 N1\tN2-1",
        "2\tU5\t11/12/2019 8:00:00 AM\tN3 N9 N9\tN2-1",
        "3\tU5\t11/11/2019 8:00:00 AM\tN2 N3\tN2-1",
    ]
    log, report = load(write(impressions=impressions))
    assert log.history_item.tolist() == [1, 2]
    assert report.clean  # what was not taken is not counted
    log, report = load(write(impressions=impressions[:2]))
    assert log.history_item.tolist() == [2]
    assert counts(report, "behaviors.tsv")[1] == {"earlier click on an article not in news.tsv": 2}


def test_a_later_user_does_not_change_earlier_numbers(write):
    log, _ = load(write())
    later = "4\tU1\t11/15/2019 1:00:00 AM\tN1\tN2-1 N1-0"
    grown, _ = load(write(impressions=[later, *IMPRESSIONS]))
    assert grown.user_ids == [*log.user_ids, "U1"]
    same_log(grown.before(grown.impressions.time[-1]), log)


def test_train_and_dev_are_merged_by_time(write):
    renamed, other = NEWS[1].replace("Soup", "Broth"), NEWS[0].replace("N1", "N0")
    earlier = "1\tU6\t11/12/2019 11:00:00 PM\t\tN3-0 N2-0 N0-1"
    write([renamed, other, NEWS[2]], [earlier], name="dev")
    log, report = load(write(NEWS, [IMPRESSIONS[0], IMPRESSIONS[2]], name="train"))
    assert report.clean
    assert [f.file for f in report.files] == [
        "dev/news.tsv",
        "train/news.tsv",
        "dev/behaviors.tsv",
        "train/behaviors.tsv",
    ]
    assert [f.known for f in report.files] == [0, 2, 0, 0]
    assert log.articles.ids == ["N2", "N0", "N3", "N1"]
    assert log.articles.title[0] == "Broth"  # of the first folder
    assert log.impressions.ids == ["1", "1", "3"]  # ids restart in each folder
    assert log.user_ids == ["U6", "U5"]
    assert log.history_item.tolist() == [2, 3]


def test_sub_folders_are_read_only_if_the_folder_has_no_files(write):
    write(name="train", impressions=IMPRESSIONS[:1])
    log, _ = load(write())
    assert len(log.impressions) == 3


def test_test_set_beside_train_is_left_out(write):
    write(name="train")
    log, report = load(write(impressions=["1\tU5\t11/14/2019 1:00:00 AM\tN3\tN1 N2"], name="test"))
    assert len(log.impressions) == 3
    skipped = counts(report, "test/behaviors.tsv")[0]
    assert skipped == {"no labels, as in a test set": 1}


NOTHING_LEFT = {
    "empty news": ([], IMPRESSIONS, "news.tsv is empty"),
    "empty behaviors": (NEWS, [], "behaviors.tsv is empty"),
    "swapped": (IMPRESSIONS, NEWS, "news.tsv has 8 columns and behaviors.tsv 5: are they swapped"),
    "test set": (NEWS, ["1\tU5\t11/14/2019 1:00:00 AM\tN3\tN1 N2"], "a test set has no clicks"),
    "zip": ([b"PK\x03\x04junk"], IMPRESSIONS, "is a zip archive: unpack it first"),
    "gzip": (NEWS, [b"\x1f\x8bjunk"], "is compressed by gzip"),
    "UTF-16": ([NEWS[0].encode("utf-16")], IMPRESSIONS, "is in UTF-16"),
    "binary": ([bytes(range(256)) * 40], IMPRESSIONS, "not UTF-8"),
}


@pytest.mark.parametrize("case", NOTHING_LEFT)
@pytest.mark.parametrize("strict", [False, True])
def test_the_error_says_why_nothing_is_left(write, case, strict):
    news, impressions, message = NOTHING_LEFT[case]
    folder = write(news, impressions)
    with pytest.raises(ValueError, match=None if strict else message):
        load(folder, strict)


def test_missing_files_are_named(tmp_path, write):
    with pytest.raises(ValueError, match="must be a folder with news.tsv and behaviors.tsv"):
        load(tmp_path / "nowhere")
    (tmp_path / "MINDsmall_train.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match="it holds MINDsmall_train.zip .an archive must be unpack"):
        load(tmp_path)
    write()
    (tmp_path / "news.tsv").unlink()
    with pytest.raises(ValueError, match="must hold a file news.tsv"):
        load(tmp_path)
    (tmp_path / "news.tsv").mkdir()
    with pytest.raises(ValueError, match="must hold a file news.tsv"):
        load(tmp_path)


def test_a_line_without_end_is_not_kept_in_memory(write, monkeypatch):
    monkeypatch.setattr("newsreco.data.lines.BLOCK", 64)
    monkeypatch.setattr("newsreco.data.lines.MAX_LINE", 300)
    long = "4\tU5\t11/14/2019 1:00:00 AM\t" + "N3 " * 500 + "\tN1-0"
    expected, _ = load(write())
    for impressions in ([*IMPRESSIONS[:1], long, *IMPRESSIONS[1:]], [*IMPRESSIONS, long]):
        found, report = load(write(impressions=impressions))
        same_log(found, expected)
        assert counts(report, "behaviors.tsv")[0] == {"line too long": 1}


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
def test_the_block_size_does_not_change_the_log(write, monkeypatch, block):
    monkeypatch.setattr("newsreco.data.lines.BLOCK", block if block > 3 else 4)
    log, report = load(write(end="\r\n"))
    assert report.clean
    assert log.impressions.ids == ["2", "1", "3"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("11/13/2019 8:36:57 AM", 1573634217),
        ("11/13/2019 12:00:00 AM", 1573603200),
        ("11/13/2019 12:00:00 PM", 1573646400),
        ("1/1/1970 12:00:01 AM", 1),
        ("2019-11-13 08:36:57", 1573634217),
        ("2019-11-13T08:36:57Z", 1573634217),
        ("2019-11-13T09:36:57+01:00", 1573634217),
        ("2019-11-13T08:36:57.5", 1573634217.5),
    ],
)
def test_times_are_utc_in_any_time_zone(text, expected, monkeypatch):
    import time

    for zone in ("UTC", "America/New_York", "Asia/Kolkata"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert parse_time(text) == expected
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1573634217",
        "2019-11-13",
        "2/30/2019 1:00:00 AM",
        "11/13/2019 0:00:00 AM",
        "11/13/2019 8:60:00 AM",
        "11/13/2019 8:36:57",
        "11/13/19 8:36:57 AM",
        "1/1/0000 1:00:00 AM",
        "2019-11-13T25:00:00",
        "\u0661/1/2019 1:00:00 AM",
    ],
)
def test_invalid_times_are_refused(text):
    with pytest.raises(ValueError, match="time|month|day|hour|year|isoformat"):
        parse_time(text)


def test_report_keeps_twenty_problems_and_counts_all(write):
    log, report = load(write(impressions=[*IMPRESSIONS, *["junk"] * 50]))
    assert len(report.problems) == 20
    assert counts(report, "behaviors.tsv")[0] == {"wrong number of columns": 50}
    found = json.loads(json.dumps(report.as_dict()))
    assert found["files"][1]["skipped"] == {"wrong number of columns": 50}
    assert found["problems"][0] == {
        "file": "behaviors.tsv",
        "line": 4,
        "reason": "wrong number of columns",
        "detail": "1, expected 5",
    }
    assert "behaviors.tsv: 50 skipped, wrong number of columns" in str(report)
    assert "behaviors.tsv:4: wrong number of columns (1, expected 5)" in str(report)
