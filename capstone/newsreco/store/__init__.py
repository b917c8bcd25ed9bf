"""The feature store: features with two clocks in SQL, and the SVD system that lives on it."""

from newsreco.store.database import database_url
from newsreco.store.feature_store import FeatureStore
from newsreco.store.views import ITEM, USER, USER_CATEGORY, USER_ITEM, VIEWS, View

__all__ = [
    "ITEM",
    "USER",
    "USER_CATEGORY",
    "USER_ITEM",
    "VIEWS",
    "FeatureStore",
    "View",
    "database_url",
]
