"""The models, one family per file.

What the `value` of a row means to each model, and what several rows of one pair mean:

=====================================  ===================================  ================
model                                  value                                repeated rows
=====================================  ===================================  ================
Random                                 ignored                              ignored
Popularity, Trending                   ignored                              counted
HackerNewsHot, RedditHot               ignored                              counted
ItemKNN, UserKNN, EASE                 ignored                              ignored
AssociationRules                       ignored                              ignored
BPR, WARP, SampledSoftmax, TwoTower    ignored                              ignored
Markov                                 ignored                              steps of a history
ImplicitALS                            confidence 1 + alpha value, not < 0  values summed
PureSVD                                entry of the matrix                  values summed
ContentBased                           weight in the user's profile         values summed
BiasedMF                               the rating to predict, required      each is a rating
Fallback                               as to each of its models             as to each
=====================================  ===================================  ================

Without values each row counts 1. Where the value is ignored, `Interactions.positives(min_value)`
keeps the rows that mean a liking, such as ratings of 4 and more.

The defaults were chosen on the validation sets of four logs of different density (MovieLens-100K,
latest-small and 1M, likes only, and a synthetic log; without 1M for TwoTower; of two, with all
ratings, for BiasedMF): the setting with the highest mean of NDCG@10 relative to the best tried on
each log, or, within 1 %, one in use or of round numbers. `make tune TABLE=1` chooses again, and
compares the defaults with the settings tuned on each log, on the test sets.
"""

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
from recsys.models.rules import AssociationRules
from recsys.models.sampled_softmax import SampledSoftmax
from recsys.models.svd import PureSVD
from recsys.models.two_tower import TwoTower
from recsys.models.user_knn import UserKNN
from recsys.models.warp import WARP

__all__ = [
    "AssociationRules",
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
    "TwoTower",
    "UserKNN",
    "WARP",
]
