"""The models, one family a file."""

from recsys.models.als import ImplicitALS
from recsys.models.baselines import Popularity, Random, Trending
from recsys.models.biased_mf import BiasedMF
from recsys.models.bpr import BPR
from recsys.models.content import ContentBased
from recsys.models.ease import EASE
from recsys.models.fallback import Fallback
from recsys.models.hot import HackerNewsHot, RedditHot
from recsys.models.markov import Markov
from recsys.models.neighborhood import ItemKNN
from recsys.models.sampled_softmax import SampledSoftmax
from recsys.models.svd import PureSVD
from recsys.models.user_knn import UserKNN
from recsys.models.warp import WARP

__all__ = [
    "BPR",
    "BiasedMF",
    "ContentBased",
    "EASE",
    "Fallback",
    "HackerNewsHot",
    "ImplicitALS",
    "ItemKNN",
    "Markov",
    "Popularity",
    "PureSVD",
    "Random",
    "RedditHot",
    "SampledSoftmax",
    "Trending",
    "UserKNN",
    "WARP",
]
