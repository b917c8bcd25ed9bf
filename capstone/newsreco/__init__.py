"""newsreco: a news recommender built on recsys, from the raw log to a promoted model."""

__version__ = "0.2.0"
