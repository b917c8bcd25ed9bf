"""The feature store: bitemporal features in SQL, read as of a time."""

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
