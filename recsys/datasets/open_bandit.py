"""Open Bandit, a log of what two policies showed at random on a fashion site (Saito et al. 2021).

For each impression one of two policies, itself drawn at random, filled three positions with items:
*random* with each item equally probable, *bts* by Bernoulli Thompson sampling, whose propensities
change from hour to hour. The log says what was shown where, with which probability (the
propensity), and whether it was clicked. Here is the published sample of 10,000 rows per policy and
campaign; the full log has 26 million. Left out: the features of the items and the users' past
clicks on them (columns user-item_affinity).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import validation
from recsys.datasets.sources import find_file

REPOSITORY = "https://raw.githubusercontent.com/st-tech/zr-obp/master/obp/dataset/obd"
N_ACTIONS = {"men": 34, "women": 46, "all": 80}
SHA256 = {
    ("random", "men"): "ede6d08c6877f99cd3770f7d09e26c738e6aa6de4445ccccfb1356ba5d06b1eb",
    ("random", "women"): "e65f3bd3beb17664fa69cc129bf7bf852a775f8ffa630506e505fc905315bb34",
    ("random", "all"): "7168295b6e0a9eabcf3392320a5dd434e542b68e705d5cd9491499af589812f1",
    ("bts", "men"): "db6d1f7ed2d591ba521533e45286d4c1fba7fe57a8ad2e80342210335f43c527",
    ("bts", "women"): "e5d1b49a39b608585a2f3014a3f54970430cd37a495c1b73fceb85cdf428a5b8",
    ("bts", "all"): "0ad874e4dbf6902f0845dd478ad8dde5ef6903583d3ffaace78411bdad064106",
}


@dataclass(frozen=True)
class BanditLog:
    """A log of actions with their propensities, one row per item shown.

    Attributes
    ----------
    action : array (n,) of int32
        The item shown, 0 to n_actions - 1.
    position : array (n,) of int32
        0 left, 1 centre, 2 right.
    reward : array (n,) of float64
        1 if it was clicked, else 0.
    propensity : array (n,) of float64
        Probability with which the policy showed this item at this position.
    time : array (n,) of float64
        Seconds since 1970 in UTC; no row is earlier than the one before.
    user_features : array (n, 4) of str
        Of the user, hashed by the publisher.
    n_actions, n_positions : int
    """

    action: np.ndarray
    position: np.ndarray
    reward: np.ndarray
    propensity: np.ndarray
    time: np.ndarray
    user_features: np.ndarray
    n_actions: int
    n_positions: int = 3

    def __len__(self) -> int:
        return len(self.action)


def load_open_bandit(
    policy: str = "random", campaign: str = "men", progress: bool = True
) -> BanditLog:
    """Load a log of the Open Bandit sample (Saito et al. 2021).

    The file open-bandit/POLICY/CAMPAIGN/CAMPAIGN.csv is looked for in the folder that
    `RECSYS_DATA_DIR` names, then in the cache; otherwise it is downloaded from the repository of
    its publisher, ZOZO, under the Apache License 2.0. Its checksum is verified in each case.

    Parameters
    ----------
    policy : {"random", "bts"}
        The policy that wrote the log: uniformly random, or Thompson sampling.
    campaign : {"men", "women", "all"}
        What was shown: 34 items, 46 items or all 80.
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    BanditLog
        10,000 rows.

    Raises
    ------
    ValueError
        If policy or campaign is unknown, or the file is damaged or not that of the sample.
    ConnectionError
        If the file is not found and cannot be downloaded.
    """
    import pandas as pd

    validation.one_of("policy", policy, ["random", "bts"])
    validation.one_of("campaign", campaign, list(N_ACTIONS))
    name = f"{policy}/{campaign}/{campaign}.csv"
    checksum = f"sha256:{SHA256[policy, campaign]}"
    path = find_file(f"open-bandit/{name}", checksum, f"{REPOSITORY}/{name}", progress)
    hashed = [f"user_feature_{n}" for n in range(4)]
    table = pd.read_csv(path, parse_dates=["timestamp"], dtype=dict.fromkeys(hashed, str))
    since = table["timestamp"] - pd.Timestamp(0, tz="UTC")
    return BanditLog(
        table["item_id"].to_numpy(np.int32),
        table["position"].to_numpy(np.int32) - np.int32(1),
        table["click"].to_numpy(np.float64),
        table["propensity_score"].to_numpy(np.float64),
        since.dt.total_seconds().to_numpy(),
        table[hashed].to_numpy(str),
        N_ACTIONS[campaign],
    )
