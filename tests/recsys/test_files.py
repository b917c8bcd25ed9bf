"""Atomic writes: an interruption leaves the old file or folder, and no remains."""

import os

import pytest

from recsys.files import atomic_file, atomic_folder, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_to_place(monkeypatch, place):
    """Make the rename to `place` fail, once."""
    rename = os.replace

    def failing(source, target):
        if target == place and source.name == "new":
            raise OSError("no room")
        rename(source, target)

    monkeypatch.setattr(os, "replace", failing)


def test_write_text_makes_parent_folders_and_replaces_the_file(tmp_path):
    path = tmp_path / "a" / "b.txt"
    for text in ("one", "zwei ü\n"):
        write_text(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert names(path.parent) == ["b.txt"]


def test_failed_write_keeps_the_old_file(tmp_path):
    write_text(tmp_path / "a.json", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.json", "half \ud800")
    assert (tmp_path / "a.json").read_text() == "old"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_permissions_follow_the_umask(umask, tmp_path):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "file", "text")
        with atomic_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o777 & ~umask


def test_atomic_file_without_overwrite_keeps_a_file_written_meanwhile(tmp_path):
    with atomic_file(tmp_path / "new", overwrite=False) as draft:
        draft.write_text("draft")
    assert (tmp_path / "new").read_text() == "draft"
    with atomic_file(tmp_path / "new", overwrite=False) as draft:
        draft.write_text("later")
    assert (tmp_path / "new").read_text() == "draft"
    assert names(tmp_path) == ["new"]


def test_atomic_folder_replaces_the_whole_folder(tmp_path):
    for name in ("first", "second"):
        with atomic_folder(tmp_path / "model") as draft:
            (draft / name).touch()
            assert not (tmp_path / "model" / name).exists()
    assert names(tmp_path / "model") == ["second"]
    assert names(tmp_path) == ["model"]


def test_interrupted_atomic_folder_keeps_the_old_one_or_none(tmp_path):
    def interrupt(name):
        with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "model") as draft:
            (draft / name).touch()
            raise KeyboardInterrupt

    interrupt("first")
    assert names(tmp_path) == []
    with atomic_folder(tmp_path / "model") as draft:
        (draft / "kept").touch()
    interrupt("second")
    assert names(tmp_path / "model") == ["kept"]
    assert names(tmp_path) == ["model"]


def test_failed_move_restores_the_old_folder(tmp_path, monkeypatch):
    with atomic_folder(tmp_path / "model") as draft:
        (draft / "kept").touch()
    fail_to_place(monkeypatch, tmp_path / "model")
    with pytest.raises(OSError, match="no room"), atomic_folder(tmp_path / "model"):
        pass
    assert names(tmp_path / "model") == ["kept"]
    assert names(tmp_path) == ["model"]


def test_a_link_is_followed_and_kept(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "model").symlink_to(tmp_path / "disk" / "model")
    (tmp_path / "a.txt").symlink_to(tmp_path / "disk" / "a.txt")
    for text in ("one", "two"):
        write_text(tmp_path / "a.txt", text)
        with atomic_folder(tmp_path / "model") as draft:
            (draft / text).touch()
    assert (tmp_path / "model").is_symlink() and names(tmp_path / "disk" / "model") == ["two"]
    assert (tmp_path / "a.txt").is_symlink() and (tmp_path / "disk" / "a.txt").read_text() == "two"
    assert names(tmp_path) == ["a.txt", "disk", "model"]


def test_the_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_text("~/a.txt", "text")
    with atomic_folder("~/model"):
        pass
    assert names(tmp_path) == ["a.txt", "model"]


@pytest.mark.parametrize("folder", [".", "..", "/"])
def test_folders_that_cannot_be_replaced_are_refused(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = "^folder must not be a mount point, the working folder or one above it, got '"
    with pytest.raises(ValueError, match=message), atomic_folder(folder):
        pass
    assert names(tmp_path) == []
