"""Synthetic interactions, whose probabilities are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import validation
from recsys.datasets.sources import REPOSITORY
from recsys.interactions import Interactions

GENRES = {
    "space": "Comet Orbit Station Signal Moon Voyage Colony Eclipse",
    "crime": "Witness Alibi Detective Verdict Heist Informer Motive Safe",
    "romance": "Letter Wedding Summer Promise Waltz Kiss Stranger Reunion",
    "comedy": "Uncle Holiday Neighbour Mix-Up Parrot Landlord Picnic Diet",
    "history": "Crown Siege Empire Treaty Cathedral Rebellion Queen Harbour",
    "horror": "Cellar Mirror Doll Fog Whisper Asylum Shadow Well",
    "nature": "River Glacier Forest Reef Desert Migration Volcano Meadow",
    "sport": "Final Sprint Coach Ring Underdog Record Penalty Summit",
}
ADJECTIVES = (
    "Silent Last Golden Broken Distant Hidden Crooked Burning Second Lonely Midnight Paper Iron "
    "Crimson Forgotten Gentle Hollow Restless Borrowed Winter Velvet Stolen Northern Electric"
)


def make_synthetic(
    n_users: int = 300,
    n_items: int = 150,
    n_genres: int = 8,
    n_interactions: int = 18_000,
    popularity_weight: float = 0.8,
    preference_power: float = 2.5,
    repeats: bool = True,
    rng: int | np.random.Generator = 0,
) -> Interactions:
    r"""Generate a log of users who prefer some genres and popular items.

    Each item has one genre g and a popularity, log-uniform from 1 to 50; each user has a
    preference for each genre, uniform from 0 to 1. User u interacts with item i with probability

    .. math:: P(i \mid u) \propto \text{popularity}_i^{w} \cdot \text{preference}_{u g(i)}^{q}

    with w `popularity_weight` and q `preference_power`.

    Parameters
    ----------
    n_users, n_items, n_genres, n_interactions : int
    popularity_weight : float
        From 0, which makes all items of a genre equally likely, to 20.
    preference_power : float
        From 0, no preferences, to 20; the higher, the more a user keeps to one genre.
    repeats : bool
        Whether a user may interact with an item more than once.
    rng : int or numpy.random.Generator

    Returns
    -------
    Interactions
        times 0, 1, 2, ... in the order of the rows; `item_info` has "title" and "genre".
    """
    n_users = validation.whole_number("n_users", n_users)
    n_items = validation.whole_number("n_items", n_items)
    n_genres = validation.whole_number("n_genres", n_genres, high=n_items)
    n_interactions = validation.whole_number("n_interactions", n_interactions)
    weight = validation.real_number("popularity_weight", popularity_weight, high=20.0)
    power = validation.real_number("preference_power", preference_power, high=20.0)
    repeats = validation.true_or_false("repeats", repeats)
    rng = validation.random_generator(rng)

    genre = rng.permutation(np.arange(n_items) % n_genres)
    popularity = 50.0 ** (rng.random(n_items) * weight)
    preference = rng.random((n_users, n_genres)) ** power
    model = _ChoiceModel(genre, popularity, preference, rng)
    if repeats:
        user, item = model.draw(n_interactions)
    else:
        user, item = _draw_without_repeats(model, n_interactions)
    names = list(GENRES)[:n_genres] + [f"genre {g}" for g in range(len(GENRES), n_genres)]
    info = {"title": _titles(genre, names), "genre": np.array(names)[genre]}
    time = np.arange(n_interactions)
    return Interactions(user, item, time, None, n_users, n_items, item_info=info)


@dataclass
class _ChoiceModel:
    """The probability of each interaction: popularity times preference for the genre."""

    genre: np.ndarray  # (n_items,)
    popularity: np.ndarray  # (n_items,)
    preference: np.ndarray  # (n_users, n_genres)
    rng: np.random.Generator

    def draw(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Users and items of n interactions: draw a user, then a genre, then an item of it."""
        by_genre = np.argsort(self.genre, kind="stable")
        ends = np.cumsum(self.popularity[by_genre])
        ends /= ends[-1]
        last = np.cumsum(np.bincount(self.genre, minlength=self.preference.shape[1])) - 1
        upper = ends[last]
        lower = np.concatenate([[0], upper[:-1]])
        cumulative = np.cumsum(self.preference * (upper - lower), axis=1)  # (n_users, n_genres)
        cumulative /= cumulative[:, -1:]

        user = self.rng.integers(len(self.preference), size=n)
        g = (self.rng.random(n)[:, None] > cumulative[user]).sum(axis=1)
        quantile = lower[g] + self.rng.random(n) * (upper - lower)[g]
        first = np.concatenate([[0], last[:-1] + 1])
        position = np.clip(np.searchsorted(ends, quantile, side="right"), first[g], last[g])
        return user, by_genre[position]


def _draw_without_repeats(model: _ChoiceModel, n: int) -> tuple[np.ndarray, np.ndarray]:
    """n different pairs: draw in rounds and keep the new pairs of each."""
    n_users, n_items = len(model.preference), len(model.genre)
    if n > n_users * n_items // 2:
        raise ValueError(
            "n_interactions must be at most half of n_users x n_items without repeats, "
            f"{n_users * n_items // 2}, got {n}"
        )
    pairs = np.empty(0, np.int64)
    for _ in range(1000):
        user, item = model.draw(n)
        pairs = np.concatenate([pairs, user * n_items + item])
        _, first = np.unique(pairs, return_index=True)
        pairs = pairs[np.sort(first)][:n]
        if len(pairs) == n:
            return pairs // n_items, pairs % n_items
    raise ValueError(
        f"n_interactions must be lower for preferences this strong without repeats, got {n}: "
        f"only {len(pairs)} different pairs were drawn"
    )


def _titles(genre: np.ndarray, names: list[str]) -> np.ndarray:
    """A different title for each item, of its genre's words."""
    adjectives = ADJECTIVES.split()
    titles, used = [], np.zeros(len(names), int)
    for g in genre:
        nouns = GENRES.get(names[g], "Tale Story Song Chronicle").split()
        n, used[g] = used[g], used[g] + 1
        adjective = adjectives[(7 * g + n) % len(adjectives)]
        noun = nouns[n % len(nouns)]
        volume = n // np.lcm(len(adjectives), len(nouns))
        suffix = f" {volume + 1}" if volume else ""
        genre_name = "" if names[g] in GENRES else f" of {names[g].title()}"
        titles.append(f"The {adjective} {noun}{genre_name}{suffix}")
    return np.array(titles)


def load_synthetic_log() -> Interactions:
    """The fixed log of the leaderboard chapter: 18,000 interactions, 300 users, 150 items.

    It comes with the repository, in data/synthetic_log.npz, and never changes, so metrics on it
    can be compared between versions. Times are 0, 1, 2, ...; `item_info` has "title", "genre"
    and "features" (150, 8): the weight of each genre in an item; "genre" has the highest.
    """
    path = REPOSITORY / "data" / "synthetic_log.npz"
    if not path.is_file():
        raise ValueError(f"the log must be at {path}, beside the package, as in a checkout")
    with np.load(path, allow_pickle=False) as file:
        user, item, time = file["inter"].T
        features = file["feats"]
        sizes = int(file["nu"]), int(file["ni"])
    names, genre = list(GENRES), features.argmax(axis=1)
    info = {"title": _titles(genre, names), "genre": np.array(names)[genre], "features": features}
    return Interactions(user, item, time, None, *sizes, item_info=info)
