"""Open Bandit: the columns are read as documented, and only the sample itself is accepted."""

import hashlib

import numpy as np
import pooch
import pytest

from recsys.datasets import load_open_bandit, open_bandit, sources

HEADER = (
    ",timestamp,item_id,position,click,propensity_score,"
    "user_feature_0,user_feature_1,user_feature_2,user_feature_3,user-item_affinity_0\n"
)
ROWS = (
    "0,1970-01-01 00:00:01.500000+00:00,33,3,0,0.25,a,b,c,1e5,0.0\n"
    "1,1970-01-02 00:00:00.000000+00:00,0,1,1,1e-06,a,f,c,007,2.0\n"
)
COUNTS = {  # clicks, and the most and the least propensity
    ("random", "men"): (46, 1 / 34, 1 / 34),
    ("random", "women"): (46, 1 / 46, 1 / 46),
    ("random", "all"): (38, 1 / 80, 1 / 80),
    ("bts", "men"): (69, 0.72529, 0.000165),
    ("bts", "women"): (46, 0.9628, 0.000001),
    ("bts", "all"): (42, 0.95424, 0.000045),
}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Where the loader looks: a folder of the user's own and a cache, both empty."""
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sources, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(pooch, "retrieve", lambda *args, **more: pytest.fail("a download began"))
    return tmp_path


def put(folder, text=HEADER + ROWS, name="bts/men/men.csv"):
    """Write a log, and return its path and its checksum."""
    path = folder / "open-bandit" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path, hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("into", ["data", "cache"])
def test_columns_are_read_as_documented(into, folders, monkeypatch):
    _, digest = put(folders / into)
    monkeypatch.setitem(open_bandit.SHA256, ("bts", "men"), digest)
    log = load_open_bandit("bts", "men")
    assert (len(log), log.n_actions, log.n_positions) == (2, 34, 3)
    assert (log.action.tolist(), log.action.dtype) == ([33, 0], np.int32)
    assert (log.position.tolist(), log.position.dtype) == ([2, 0], np.int32)
    assert (log.reward.tolist(), log.reward.dtype) == ([0.0, 1.0], np.float64)
    assert log.propensity.tolist() == [0.25, 1e-6]
    assert log.time.tolist() == [1.5, 86_400.0]
    assert log.user_features.tolist() == [["a", "b", "c", "1e5"], ["a", "f", "c", "007"]]


def test_the_users_own_folder_comes_before_the_cache(folders, monkeypatch):
    put(folders / "cache", HEADER + ROWS.replace("1e-06", "1e-05"))
    _, digest = put(folders / "data")
    monkeypatch.setitem(open_bandit.SHA256, ("bts", "men"), digest)
    assert load_open_bandit("bts", "men").propensity.min() == 1e-6


@pytest.mark.parametrize("text", ["", HEADER, HEADER + ROWS[:-9]])
def test_a_damaged_or_other_file_is_refused(text, folders):
    path, _ = put(folders / "data", text)
    with pytest.raises(ValueError, match=f"^{path} is damaged or incomplete: its sha256 is"):
        load_open_bandit("bts", "men")


def test_download_goes_to_the_cache_and_is_verified(folders, monkeypatch):
    path, _ = put(folders / "elsewhere", name="random/women/women.csv")
    given = {}

    def retrieve(url, **more):
        given.update(more, url=url)
        return str(path)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert len(load_open_bandit("random", "women", progress=False)) == 2
    assert given["url"].endswith("/st-tech/zr-obp/master/obp/dataset/obd/random/women/women.csv")
    assert given["known_hash"] == f"sha256:{open_bandit.SHA256['random', 'women']}"
    found = sources.cache_folder() / "open-bandit/random/women/women.csv"
    assert given["path"] / given["fname"] == found  # where the next call looks


def test_error_without_data_and_network_says_what_to_do(folders, monkeypatch):
    def offline(url, **more):
        raise OSError("no network")

    monkeypatch.setattr(pooch, "retrieve", offline)
    place = "set RECSYS_DATA_DIR to the folder that holds open-bandit/random/all/all.csv"
    with pytest.raises(ConnectionError, match=place) as caught:
        load_open_bandit("random", "all")
    assert "https://raw.githubusercontent.com/st-tech/zr-obp/" in str(caught.value)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("ts", "men"), r"^policy must be one of \['random', 'bts'\], got 'ts'"),
        (("bts", "kids"), r"^campaign must be one of \['men', 'women', 'all'\], got 'kids'"),
        ((None,), "^policy must be one of"),
    ],
)
def test_unknown_names_are_refused(arguments, message, folders):
    with pytest.raises(ValueError, match=message):
        load_open_bandit(*arguments)


@pytest.mark.parametrize("policy, campaign", COUNTS)
def test_real_logs(policy, campaign):
    name = f"open-bandit/{policy}/{campaign}/{campaign}.csv"
    if not any((folder / name).is_file() for folder in sources.data_folders()):
        pytest.skip(f"{name} is not available")
    log = load_open_bandit(policy, campaign)
    clicks, most, least = COUNTS[policy, campaign]
    assert (len(log), log.reward.sum(), set(log.reward)) == (10_000, clicks, {0, 1})
    assert [log.propensity.max(), log.propensity.min()] == pytest.approx([most, least], rel=1e-12)
    assert np.unique(log.action).tolist() == list(range(log.n_actions))  # each was shown
    assert set(log.position) == set(range(log.n_positions))
    assert (np.diff(log.time) >= 0).all()
    week = np.array(["2019-11-24", "2019-12-01"], "datetime64[s]").astype(float)
    assert week[0] < log.time[0] and log.time[-1] < week[1]
    assert log.user_features.shape == (10_000, 4)


def test_user_features_of_real_logs_are_the_same_words():
    names = [f"open-bandit/{policy}/men/men.csv" for policy in ("random", "bts")]
    folders = sources.data_folders()
    if not all(any((folder / name).is_file() for folder in folders) for name in names):
        pytest.skip("open-bandit is not available")
    words = [set(load_open_bandit(policy).user_features[:, 0]) for policy in ("random", "bts")]
    assert len(words[0] & words[1]) >= 3
