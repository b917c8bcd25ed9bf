"""The models, one family a file."""

from recsys.models.als import ImplicitALS
from recsys.models.baselines import Popularity, Random, Trending
from recsys.models.biased_mf import BiasedMF
from recsys.models.bpr import BPR
from recsys.models.ease import EASE
from recsys.models.neighborhood import ItemKNN
from recsys.models.svd import PureSVD

__all__ = [
    "BPR",
    "BiasedMF",
    "EASE",
    "ImplicitALS",
    "ItemKNN",
    "Popularity",
    "PureSVD",
    "Random",
    "Trending",
]
