"""The command `recsys`: values by hand, the bundled articles, one line for wrong input."""

import json
import math
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from recsys import cli

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "data" / "articles.txt"
TOPICS = np.repeat(["tech", "health", "sports", "space"], 5)
VECTORS = sparse.csr_matrix([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
TEXTS = ["cat dog", "cat cow", "hen fox"]
SHARED, OWN = math.log(4 / 3) + 1, math.log(4 / 2) + 1  # idf of a word of two texts, of one


@pytest.fixture
def catalogue(tmp_path):
    path = tmp_path / "articles.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    return path


def run(capsys, *argv):
    """Exit status, stdout and stderr of the command."""
    status = cli.main(["recommend", *map(str, argv)])
    return status, *capsys.readouterr()


def test_profile_halves_a_read_and_counts_the_last_one_fully():
    scores = cli.similar_to_history(VECTORS, [0, 2], half_life=1)  # profile (1/2, 1)
    expected = np.array([0.5, 0.4 + 0.6, 1.0]) / math.sqrt(1.25)
    np.testing.assert_allclose(scores, expected)


def test_half_life_is_in_reads():
    scores = cli.similar_to_history(VECTORS, [0, 2, 2], half_life=2)  # weights 1/2, 2 ** -0.5, 1
    profile = np.array([0.5, 1 + 2**-0.5])
    np.testing.assert_allclose(scores[[0, 2]], profile / np.hypot(*profile))


def test_order_of_the_history_counts():
    old_first = cli.similar_to_history(VECTORS, [0, 2], half_life=1)
    assert old_first[2] > old_first[0]
    np.testing.assert_allclose(
        cli.similar_to_history(VECTORS, [2, 0], half_life=1)[0], old_first[2]
    )


def test_representatives_are_central_then_different():
    items, centrality = cli.representatives(VECTORS, k=3)
    # mean (1.8, 1.6) / 3; after the second, the first is worth (0.747 - 0.8) / 2 and the third
    # (0.664 - 0.6) / 2, although the first is more central
    assert items.tolist() == [1, 2, 0]
    np.testing.assert_allclose(centrality, np.array([2.4, 1.6, 1.8]) / math.sqrt(5.8), rtol=1e-6)


def test_representatives_come_from_the_most_central(monkeypatch):
    monkeypatch.setattr(cli, "POOL", 2)
    assert cli.representatives(VECTORS, k=2)[0].tolist() == [1, 0]
    assert cli.representatives(VECTORS, k=3)[0].tolist() == [1, 2, 0]


def test_scores_are_the_tf_idf_cosines_by_hand():
    items, scores = cli.recommend(TEXTS, history=[0], k=2)
    assert items.tolist() == [1, 2]
    np.testing.assert_allclose(scores, [SHARED**2 / (SHARED**2 + OWN**2), 0], rtol=1e-5)


def test_read_articles_are_not_recommended():
    assert cli.recommend(TEXTS, history=[1, 0, 1], k=1)[0].tolist() == [2]


def test_stop_words_make_nothing_similar():
    articles = ["the cat", "the dog and the hen", "a cat"]
    assert cli.recommend(articles, history=[0], k=2)[1].tolist() == [1, 0]


def test_articles_without_content_words_are_never_recommended():
    articles = [*TEXTS, "of the", "!"]
    assert sorted(cli.recommend(articles, k=3)[0]) == [0, 1, 2]
    assert cli.recommend(articles, history=[3, 0], k=2)[0].tolist() == [1, 2]
    with pytest.raises(ValueError, match="k must be at most 3"):
        cli.recommend(articles, k=4)
    with pytest.raises(ValueError, match="content words, got none"):
        cli.recommend(articles, history=[3, 4], k=1)


def test_equal_articles_are_recommended_once_before_others():
    assert cli.recommend(["cat dog", "cat dog", "hen fox"], k=2)[0].tolist() == [0, 2]


def test_blank_lines_and_a_byte_order_mark_are_left_out(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfcat  dog\r\n\n \t\nhen\xe2\x80\xa8fox\n\n")
    assert cli.read_articles(path) == ["cat dog", "hen fox"]


def test_table_has_index_score_and_text(capsys, catalogue):
    status, out, err = run(capsys, catalogue, "--history", "0", "-k", "2")
    assert (status, err) == (0, "")
    assert out == "   1  0.366  cat cow\n   2  0.000  hen fox\n"


def test_json_has_the_same_rows(capsys, catalogue):
    _, out, _ = run(capsys, catalogue, "--history", "0", "-k", "1", "--json")
    assert json.loads(out) == [{"index": 1, "score": 0.3664, "text": "cat cow"}]


def test_half_life_option_reaches_the_profile(capsys, catalogue):
    rows = ["--history", "0,2", "-k", "1"]
    _, short, _ = run(capsys, catalogue, *rows, "--half-life", "0.1")
    _, long, _ = run(capsys, catalogue, *rows, "--half-life", "1000")
    assert (short, long) == ("   1  0.000  cat cow\n", "   1  0.259  cat cow\n")


@pytest.mark.parametrize(
    "options, words",
    [
        (["--history", "3"], "between 0 and 2, got 3"),
        (["--history", "-1"], "between 0 and 2, got -1"),
        (["--history", "9" * 30], "between 0 and 2"),
        (["--history", "0,x"], "numbers of articles such as 0,1, got '0,x'"),
        (["--history", "0.5"], "got '0.5'"),
        (["-k", "4"], "k must be at most 3, the unread articles, got 4"),
        (["-k", "3", "--history", "0"], "k must be at most 2"),
        (["-k", "0"], "k must be at least 1, got 0"),
        (["-k", "two"], "invalid int value"),
        (["--half-life", "0"], "half_life must be finite and above 0"),
        (["--half-life", "nan"], "half_life must be finite and above 0"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
    ids=lambda value: " ".join(value)[:20] if isinstance(value, list) else "",
)
def test_wrong_option_is_one_line_and_status_2(capsys, catalogue, options, words):
    status, out, err = run(capsys, catalogue, *options)
    assert (status, out) == (2, "") and words in err
    assert err.startswith("recsys") and err.count("\n") == 1 and err.endswith("\n")


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "cannot read"),
        ("", "must hold one article per line, got no text"),
        (" \n\n", "must hold one article per line, got no text"),
        ("of the\n!\n", "at least one word"),
        (b"\xff\xfe\x00", "must be text in UTF-8"),
    ],
    ids=["missing", "empty", "blank", "no words", "not text"],
)
def test_wrong_file_is_one_line_and_status_2(capsys, tmp_path, content, words):
    path = tmp_path / "articles.txt"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    status, out, err = run(capsys, path)
    assert (status, out) == (2, "") and words in err and err.count("\n") == 1


def test_folder_is_one_line_and_status_2(capsys, tmp_path):
    status, _, err = run(capsys, tmp_path)
    assert status == 2 and "cannot read" in err and err.count("\n") == 1


def test_help_has_examples(capsys):
    status, out, _ = run(capsys, "--help")
    assert status == 0 and "--history 0,1 -k 3" in out and "READS" in out


def test_bundled_articles_are_twenty_of_four_topics():
    articles = cli.read_articles(BUNDLED)
    assert len(set(articles)) == len(articles) == 20
    assert sorted(TOPICS[cli.recommend(articles, k=4)[0]]) == ["health", "space", "sports", "tech"]


def test_most_similar_bundled_article_is_of_the_same_topic():
    articles = cli.read_articles(BUNDLED)
    best = [cli.recommend(articles, [i], k=1)[0][0] for i in range(20)]
    assert (TOPICS[best] == TOPICS).all()


def test_module_runs_as_the_command(capsys):
    options = ["recommend", "data/articles.txt", "--history", "0,1", "-k", "3"]
    command = [sys.executable, "-m", "recsys", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["2", "3", "4"]
    assert subprocess.run([*command[:3], "other"], cwd=ROOT, capture_output=True).returncode == 2


def test_reader_that_stops_early_is_no_error():
    command = [sys.executable, "-m", "recsys", "recommend", "data/articles.txt"]
    running = subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1)
    running.stdout.close()
    assert (running.stderr.read(), running.wait()) == (b"", 0)
    running.stderr.close()


def test_command_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"]["recsys"] == "recsys.cli:main"
