"""Data: the log of a news site, read from files in the MIND schema or made up."""

from newsreco.data.log import Articles, Impressions, NewsLog
from newsreco.data.mind import LoadReport, load_articles, load_mind
from newsreco.data.sample import write_sample
from newsreco.data.sizes import SIZES
from newsreco.data.truth import Truth, read_truth
from newsreco.data.world import World, make_world

__all__ = [
    "SIZES",
    "Articles",
    "Impressions",
    "LoadReport",
    "NewsLog",
    "Truth",
    "World",
    "load_articles",
    "load_mind",
    "make_world",
    "read_truth",
    "write_sample",
]
