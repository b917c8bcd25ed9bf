"""Evaluation: how well impressions are ordered, and how good the lists are."""
