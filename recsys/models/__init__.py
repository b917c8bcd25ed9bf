"""The models, one family a file."""

from recsys.models.als import ImplicitALS
from recsys.models.baselines import Popularity, Random, Trending
from recsys.models.bpr import BPR
from recsys.models.ease import EASE
from recsys.models.neighborhood import ItemKNN
from recsys.models.sampled_softmax import SampledSoftmax
from recsys.models.user_knn import UserKNN
from recsys.models.warp import WARP

__all__ = [
    "BPR",
    "EASE",
    "ImplicitALS",
    "ItemKNN",
    "Popularity",
    "Random",
    "SampledSoftmax",
    "Trending",
    "UserKNN",
    "WARP",
]
