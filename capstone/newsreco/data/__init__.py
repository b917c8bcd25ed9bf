"""Data: the log of a news site, read from files in the MIND schema."""

from newsreco.data.log import Articles, Impressions, NewsLog
from newsreco.data.mind import LoadReport, load_articles, load_mind

__all__ = ["Articles", "Impressions", "LoadReport", "NewsLog", "load_articles", "load_mind"]
