"""Passages: spans that quote exactly, windows that overlap, articles known as of a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsreco.assistant.passages import (
    MAX_LENGTH,
    article_text,
    articles_from,
    cut_into_passages,
    known_at,
    sentence_spans,
)

TEXTS = st.text(alphabet=st.sampled_from("abZ .!?\n\"'”)19éß世\u2029"), max_size=300)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Reyes saw J. Smith of the U.S. team.", ["Dr. Reyes saw J. Smith of the U.S. team."]),
        ("It cost $1.5 million. They paid.", ["It cost $1.5 million.", "They paid."]),
        ('"Why?" she said. No.', ['"Why?" she said.', "No."]),
        ("He left...\nThen rain", ["He left...", "Then rain"]),
        ("  padded.  ", ["padded."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text, sentences):
    assert [text[a:b] for a, b in sentence_spans(text)] == sentences


def test_long_text_without_full_stops_is_cut_between_words():
    text = "word " * 300
    pieces = [text[a:b] for a, b in sentence_spans(text)]
    assert len(pieces) == 4
    assert all(len(piece) <= MAX_LENGTH and set(piece.split()) == {"word"} for piece in pieces)


@given(TEXTS)
def test_sentences_hold_all_but_white_space(text):
    spans = sentence_spans(text)
    assert all(a < b for a, b in spans)
    assert all(b <= c for (_, b), (c, _) in zip(spans, spans[1:]))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(text[a:b] == text[a:b].strip() for a, b in spans)


def test_windows_overlap_and_quote_exactly():
    articles = articles_from([("A title", "One is. Two is. Three is. Four is. Five is.")])
    passages = cut_into_passages(articles, size=3, overlap=1)
    assert [passages.text(p) for p in range(len(passages))] == [
        "One is. Two is. Three is.",
        "Three is. Four is. Five is.",
    ]
    assert passages.searchable()[1] == "A title\nThree is. Four is. Five is."
    quoted = [passages.quote(*span) for span in passages.sentences(1)]
    assert quoted == ["Three is.", "Four is.", "Five is."]
    item, start, end = passages.sentences(1)[0]
    assert article_text(articles, item)[start:end] == "Three is."


def test_window_sizes():
    articles = articles_from([("T t", "One is. Two is. Three is. Four is.")])
    windows = [cut_into_passages(articles, size, overlap) for size, overlap in [(1, 0), (2, 0)]]
    assert [len(passages) for passages in windows] == [4, 2]
    assert len(cut_into_passages(articles, 3, 2)) == 2


def test_title_alone_and_articles_without_words():
    articles = articles_from([("Only a title", ""), ("", ""), ("!", "..."), ("", "Only text.")])
    passages = cut_into_passages(articles)
    assert passages.article.tolist() == [0, 3]
    assert [passages.text(p) for p in (0, 1)] == ["Only a title", "Only text."]


def test_no_articles():
    assert len(cut_into_passages(articles_from([]))) == 0


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (2, 2), (3, -1)])
def test_bad_windows(size, overlap):
    with pytest.raises(ValueError, match="size|overlap"):
        cut_into_passages(articles_from([("T t", "x y")]), size, overlap)


def test_known_articles_grow_with_time(world):
    log = world.log
    times = log.impressions.time
    masks = [known_at(log, time) for time in (times[0], times[400], times[-1] + 1)]
    counts = [int(mask.sum()) for mask in masks]
    assert counts[0] == 0 < counts[1] < counts[2]
    assert not (masks[1] & ~masks[2]).any()
    later = log.impressions.rows(log.cut(times[400]), len(log.impressions))
    first_seen_later = set(later.item.tolist()) - set(np.flatnonzero(masks[1]).tolist())
    assert first_seen_later
