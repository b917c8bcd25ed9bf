"""Sizes of the synthetic world that the notebooks and `make capstone` know by name."""

SIZES = {
    "small": {"n_articles": 100, "n_impressions": 600, "n_users": 80},
    "default": {"n_articles": 300, "n_impressions": 4000, "n_users": 400},
}
