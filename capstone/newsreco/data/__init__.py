"""Data: the log of a news site, read from files in the MIND schema or made up."""

from newsreco.data.log import Articles, Impressions, NewsLog

__all__ = ["Articles", "Impressions", "NewsLog"]
