"""The feature store: features with two clocks in SQL, and the SVD system that lives on it."""

from newsreco.feature_store.database import database_url
from newsreco.feature_store.store import FeatureStore
from newsreco.feature_store.views import ITEM, USER, USER_CATEGORY, USER_ITEM, VIEWS, View

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
