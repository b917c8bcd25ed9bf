"""The models, one family a file."""

from recsys.models.als import ImplicitALS
from recsys.models.baselines import Popularity, Random, Trending
from recsys.models.bpr import BPR
from recsys.models.ease import EASE
from recsys.models.neighborhood import ItemKNN

__all__ = ["BPR", "EASE", "ImplicitALS", "ItemKNN", "Popularity", "Random", "Trending"]
