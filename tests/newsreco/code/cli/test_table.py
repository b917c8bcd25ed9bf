"""Tables in a terminal: aligned under their headings, without control characters."""

from newsreco.cli.table import say_table


def test_columns_are_aligned_under_their_headings(capsys):
    rows = [(1, 0.25, "N1", "a long title"), (10, 12.0, "N10000", "b")]
    say_table(("rank", "score", "article", "title"), rows)
    assert capsys.readouterr().out.splitlines() == [
        "rank   score  article  title",
        "   1   0.250  N1       a long title",
        "  10  12.000  N10000   b",
    ]


def test_table_without_rows_is_its_head(capsys):
    say_table(("rank", "score"), [])
    assert capsys.readouterr().out == "rank  score\n"


def test_control_characters_are_written_out_before_the_widths_are_counted(capsys):
    say_table(("a", "b"), [("\x1b", "x"), ("yy", "z")])
    assert capsys.readouterr().out.splitlines() == ["a     b", "\\x1b  x", "yy    z"]
