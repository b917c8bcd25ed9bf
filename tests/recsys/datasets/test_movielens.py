"""MovieLens: every file format is read, and damaged or incomplete files are refused."""

import dataclasses
import hashlib
import zipfile

import numpy as np
import pooch
import pytest

from recsys import Interactions, load_movielens
from recsys.datasets import movielens, sources, split_likes

# --- MovieLens: three layouts, the same four ratings -------------------------------------------

CSV = {
    "ratings.csv": "userId,movieId,rating,timestamp\n"
    "7,20,4.5,1000\n7,10,3.0,900\n9,20,1.0,1100\n9,40,5.0,1200\n",
    "movies.csv": "movieId,title,genres\n10,Heat (1995),Crime|Drama\n20,\"Net, The (1995)\",Crime\n"
    "30,Unrated (2000),Drama\n40,Amélie,Comedy\n",
}  # fmt: skip
DAT = {
    "ratings.dat": "7::20::4.5::1000\n7::10::3::900\n9::20::1::1100\n9::40::5::1200\n",
    "movies.dat": "10::Heat (1995)::Crime|Drama\n20::Net, The (1995)::Crime\n"
    "30::Unrated (2000)::Drama\n40::Amélie::Comedy\n",
}
FLAGS = {10: "0|1|0|1", 20: "0|1|0|0", 30: "0|0|0|1", 40: "0|0|1|0"}
OLD = {
    "u.data": "7\t20\t4.5\t1000\n7\t10\t3\t900\n9\t20\t1\t1100\n9\t40\t5\t1200\n",
    "u.genre": "unknown|0\nCrime|1\nComedy|2\nDrama|3\n\n",
    "u.item": "".join(
        f"{item}|{title}|01-Jan-1995||http://x|{FLAGS[item]}\n"
        for item, title in [(10, "Heat (1995)"), (20, "Net, The (1995)"), (30, "Unrated (2000)"),
                            (40, "Amélie")]
    ),
}  # fmt: skip
LAYOUTS = {"latest-small": CSV, "25m": CSV, "32m": CSV, "1m": DAT, "100k": OLD}


@pytest.fixture
def write_release(tmp_path, monkeypatch):
    """Write files where the loader looks for them, as a release of four ratings."""
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sources, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(pooch, "retrieve", lambda *args, **more: pytest.fail("a download began"))

    def put(name, changes=(), zipped=False, into="data", right_hash=True):
        release = movielens.MOVIELENS[name]
        files = {k: v for k, v in (LAYOUTS[name] | dict(changes)).items() if v is not None}
        encoding = "utf-8" if release.layout == "csv" else "latin-1"
        files = {k: v.encode(encoding) for k, v in files.items()}
        folder = tmp_path / into
        digest = release.checksum
        if zipped:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{release.folder}.zip"
            with zipfile.ZipFile(path, "w") as archive:
                for file, content in files.items():
                    archive.writestr(f"{release.folder}/{file}", content)
            if right_hash:
                digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        else:
            path = folder / release.folder
            path.mkdir(parents=True)
            for file, content in files.items():
                (path / file).write_bytes(content)
        changed = dataclasses.replace(release, n_ratings=4, checksum=digest)
        monkeypatch.setitem(movielens.MOVIELENS, name, changed)
        return path

    return put


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("into", ["data", "cache"])
def test_every_file_format_is_read(name, zipped, into, write_release):
    write_release(name, zipped=zipped, into=into)
    log = load_movielens(name)
    assert (len(log), log.n_users, log.n_items) == (4, 2, 3)  # the unrated film is left out
    assert log.user_labels == [7, 9] and sorted(log.item_labels) == [10, 20, 40]
    films = np.array(log.item_labels)[log.item].tolist()
    assert films == [20, 10, 20, 40]
    assert log.time.tolist() == [1000, 900, 1100, 1200] and log.value.tolist() == [4.5, 3, 1, 5]
    order = log.item_ids([10, 20, 40])
    assert log.titles[order].tolist() == ["Heat (1995)", "Net, The (1995)", "Amélie"]
    assert log.item_info["genres"][order].tolist() == ["Crime|Drama", "Crime", "Comedy"]
    assert log.item_info["year"][order].tolist() == [1995, 1995, 0]


def test_given_folder_takes_precedence_over_the_cache(write_release):
    write_release(
        "latest-small", {"ratings.csv": CSV["ratings.csv"].replace("7,20", "8,20")}, into="cache"
    )
    write_release("latest-small", into="data")
    assert load_movielens().user_labels == [7, 9]


@pytest.mark.parametrize(
    "name, changes, message",
    [
        *((name, {file: None}, f"is damaged or incomplete: it has no {file}")
          for name in ("latest-small", "1m", "100k") for file in LAYOUTS[name]),
        *((name, {file: ""}, "(is|.* it is) damaged or incomplete")
          for name in ("latest-small", "1m") for file in LAYOUTS[name] if "ratings" in file),
        ("latest-small", {"ratings.csv": CSV["ratings.csv"][:-18]},
         "must hold 4 ratings, got 3: it is damaged or incomplete"),
        ("latest-small", {"ratings.csv": CSV["ratings.csv"] + "9,10,1.0,1\n"},
         "must hold 4 ratings, got 5: it is damaged or incomplete"),
        ("latest-small", {"ratings.csv": CSV["ratings.csv"][:-8]}, "is damaged or incomplete"),
        ("latest-small", {"ratings.csv": CSV["ratings.csv"].replace("3.0", "three")},
         "is damaged or incomplete"),
        ("latest-small", {"ratings.csv": CSV["ratings.csv"].replace("rating,", "stars,")},
         "is damaged or incomplete: .*rating"),
        ("latest-small", {"ratings.csv": "<html>Not found</html>"}, "is damaged or incomplete"),
        *(("latest-small", {"movies.csv": text}, "is damaged or incomplete")
          for text in ("", CSV["movies.csv"][:60], "<html>Not found</html>",
                       CSV["movies.csv"].replace("title", "name"),
                       CSV["movies.csv"] + "10,Heat again,Crime\n")),
        *(("latest-small", {"ratings.csv": CSV["ratings.csv"].replace("7,20,", text)},
           "is damaged or incomplete") for text in ("-7,20,", "7,-20,", "7,,")),
        *(("1m", {"movies.dat": text}, "is damaged or incomplete")
          for text in ("", DAT["movies.dat"][:40], "10::Heat\n")),
        ("1m", {"ratings.dat": DAT["ratings.dat"][:-8]}, "is damaged or incomplete"),
        ("1m", {"ratings.dat": DAT["ratings.dat"].replace("7::10", "7::ten")}, "is damaged"),
        *(("100k", {"u.item": text}, "is damaged or incomplete")
          for text in ("", OLD["u.item"][:40], OLD["u.item"][:-5])),
        ("100k", {"u.genre": ""}, "is damaged or incomplete"),
        ("1m", {"ratings.dat": DAT["ratings.dat"][:-18]}, "must hold 4 ratings, got 3"),
        ("1m", {"movies.dat": DAT["movies.dat"] + "50::A::B::C\n"}, "is damaged or incomplete"),
        ("1m", {"movies.dat": "x" + DAT["movies.dat"]}, "is damaged or incomplete"),
        ("100k", {"u.data": OLD["u.data"][:-14]}, "must hold 4 ratings, got 3"),
    ],
)  # fmt: skip
def test_damaged_folder_is_refused(name, changes, message, write_release):
    path = write_release(name, changes)
    with pytest.raises(ValueError, match=f"^{path} {message}"):
        load_movielens(name)


def test_truncated_or_changed_archive_is_refused(write_release):
    path = write_release("latest-small", zipped=True)
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[:-1], whole + b" "):
        path.write_bytes(content)
        with pytest.raises(
            ValueError,
            match=f"^{path} is damaged or incomplete: its sha256 is .*, expected .*delete it",
        ):
            load_movielens()
    path.write_bytes(whole)
    assert len(load_movielens()) == 4


@pytest.mark.parametrize("name", LAYOUTS)
def test_archive_with_another_checksum_is_refused(name, write_release):
    path = write_release(name, zipped=True, right_hash=False)
    with pytest.raises(ValueError, match=f"^{path} is damaged or incomplete: its (sha256|md5) is"):
        load_movielens(name)


def test_archive_with_missing_files_is_refused(write_release):
    path = write_release("latest-small", {"movies.csv": None}, zipped=True)
    with pytest.raises(ValueError, match=f"^{path} is damaged or incomplete: .*movies.csv"):
        load_movielens()


def test_error_without_data_and_network_says_what_to_do(tmp_path, monkeypatch):
    def offline(url, **more):
        raise OSError("no network")

    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(sources, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(ConnectionError) as caught:
        load_movielens("1m")
    for part in (
        "https://files.grouplens.org/datasets/movielens/ml-1m.zip",
        "RECSYS_DATA_DIR",
        "ml-1m/",
    ):
        assert part in str(caught.value)


def test_download_is_verified_with_the_published_checksum(tmp_path, monkeypatch, write_release):
    archive = write_release("latest-small", zipped=True, into="elsewhere")
    arguments = {}

    def retrieve(url, known_hash, **more):
        arguments.update(url=url, known_hash=known_hash)
        return str(archive)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert len(load_movielens("latest-small", progress=False)) == 4
    release = movielens.MOVIELENS["latest-small"]
    assert arguments == {"url": release.url, "known_hash": release.checksum}


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"^name must be one of \['latest-small', .*\], got '20m'"):
        load_movielens("20m")


# --- the likes of MovieLens-1M: from their own folder or from the whole release ----------------

CUT = 975_768_738
RATINGS = [
    *((7, item, 4 + item // 20 % 2, CUT - 100 + item) for item in (10, 20, 30, 40, 50)),
    *((9, item, 5, CUT - 50 + item) for item in (20, 30, 40, 10)),  # four likes before the cutoff
    (9, 50, 3, CUT - 9), (9, 60, 5, CUT), (9, 70, 4, CUT + 9),  # a dislike, two likes too late
    (7, 60, 5, CUT + 9), (7, 80, 2, CUT + 10), (7, 70, 4, CUT), (7, 90, 4, CUT + 1),
    (8, 90, 5, CUT + 2), (6, 90, 5, CUT - 1),
    (6, 30, 4, CUT - 1), (5, 20, 4, CUT - 1), (6, 10, 5, CUT - 1),  # at one time, in no order
]  # fmt: skip
LIKES = [row for row in RATINGS if row[2] >= 4][::-1]
FILMS = {item: (f"Film {item}é (1990)", "Drama") for item in range(10, 100, 10)}


@pytest.fixture
def likes(write_release, monkeypatch, tmp_path):
    """Write the whole release, or the folder of its likes, where the loader looks."""
    monkeypatch.setattr(movielens, "N_LIKES", 15)

    def put(source, rows=LIKES):
        if source == "ml-1m":
            write_release("1m", {
                "ratings.dat": "".join(f"{u}::{i}::{r}::{t}\n" for u, i, r, t in RATINGS),
                "movies.dat": "".join(f"{i}::{t}::{g}\n" for i, (t, g) in FILMS.items()),
            })  # fmt: skip
            full = dataclasses.replace(movielens.MOVIELENS["1m"], n_ratings=len(RATINGS))
            monkeypatch.setitem(movielens.MOVIELENS, "1m", full)
            return
        folder = tmp_path / "data" / "ml-1m-likes"
        folder.mkdir(parents=True)
        lines = ["userId,movieId,rating,timestamp", *(",".join(map(str, row)) for row in rows)]
        (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
        lines = ["movieId,title,genres", *(f"{i},{t},{g}" for i, (t, g) in FILMS.items())]
        (folder / "movies.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    return put


def test_likes_are_the_same_from_either_source(likes):
    likes("ml-1m")
    full = load_movielens("1m-likes")
    likes("ml-1m-likes")
    supplied = load_movielens("1m-likes")
    for log in (full, supplied):
        rows = zip(
            np.array(log.user_labels)[log.user].tolist(),
            np.array(log.item_labels)[log.item].tolist(),
            log.value.tolist(), log.time.tolist(), strict=True,
        )  # fmt: skip
        kept = RATINGS[:9] + [row for row in RATINGS if row[3] == CUT - 1]
        later = [(7, 90, 4, CUT + 1), (7, 60, 5, CUT + 9)]
        assert list(rows) == sorted(kept, key=lambda row: (row[3], row[0], row[1])) + later
    assert full.user_labels == supplied.user_labels == [5, 6, 7, 9]
    assert full.item_labels == supplied.item_labels
    assert full.user.tolist() == supplied.user.tolist()
    assert full.item.tolist() == supplied.item.tolist()
    assert full.titles.tolist() == supplied.titles.tolist()
    assert full.fingerprint == supplied.fingerprint


def test_likes_are_split_at_the_cutoff(likes):
    likes("ml-1m-likes")
    log = load_movielens("1m-likes")
    train, test = split_likes(log)
    assert (len(train), len(test)) == (13, 2) and train.time.max() < CUT < test.time.min()
    assert set(np.array(log.user_labels)[test.user].tolist()) == {7}


def test_a_like_at_the_second_of_the_cutoff_is_no_training_data():
    times = [CUT - 1, CUT, CUT + 1]
    train, test = split_likes(Interactions([0, 0, 0], [0, 1, 2], times))
    assert (train.time.tolist(), test.time.tolist()) == (times[:1], times[1:])


def test_wrong_number_of_likes_is_refused(likes):
    likes("ml-1m-likes", LIKES[1:])
    with pytest.raises(ValueError, match="must hold 15 ratings, got 14"):
        load_movielens("1m-likes")


def test_real_likes():
    if not any((folder / "ml-1m-likes").is_dir() for folder in sources.data_folders()):
        pytest.skip("ml-1m-likes is not available")
    train, test = split_likes(load_movielens("1m-likes"))
    assert (len(train), len(test), len(np.unique(test.user))) == (463_017, 53_802, 1_079)
    assert np.bincount(train.user)[test.user].min() == 5


def test_real_latest_small():
    try:
        log = load_movielens("latest-small", progress=False)
    except ConnectionError as error:
        pytest.skip(f"ml-latest-small is not available: {error}")
    assert (len(log), log.n_users, log.n_items) == (100_836, 610, 9_724)
    assert set(log.value * 2) == set(range(1, 11))
    assert log.matrix.nnz == 100_836
    toy_story = log.item_ids([1])
    assert log.titles[toy_story].tolist() == ["Toy Story (1995)"]
    assert (log.item[log.user == log.user_ids([1])[0]] == toy_story).sum() == 1
    assert log.item_info["year"][toy_story].tolist() == [1995]
    assert (log.titles != "").all()
    first = (log.user == log.user_ids([1])) & (log.item == toy_story)
    assert (log.value[first].tolist(), log.time[first].tolist()) == ([4.0], [964982703.0])
