"""Reading the settings that `make tune` stored."""

import pytest

from recsys.tuned import SETTINGS, tuned_settings, tuning_table

LOG = "latest-small likes"


def test_the_stored_settings_are_read_by_log_and_model():
    assert tuned_settings(LOG)["EASE"] == {"reg": 100.0}


def test_the_table_shows_tries_values_and_edges():
    row = tuning_table(LOG).loc["ItemKNN"]
    assert row["tries"] == 12 and 0.09 < row["ndcg@10"] < 0.11
    assert row["setting"] == "n_neighbors 890, shrinkage 0.12"
    assert row["at edge"] == "n_neighbors: high, shrinkage: low"


def test_other_entries_of_the_file_are_no_logs():
    with pytest.raises(ValueError, match="log must be one of .*latest-small likes.*'machine'"):
        tuned_settings("machine")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="settings.json is part of the repository"):
        tuned_settings(LOG, tmp_path / SETTINGS.name)
