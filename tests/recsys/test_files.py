"""Atomic writes: an interruption leaves the old file or folder, and no remains."""

import os
import signal
import subprocess
import sys
import tempfile

import pytest

import recsys.files
from recsys.files import atomic_file, atomic_folder, temporary_folder, write_text


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


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="no exchange of two names here")
def test_replaced_folder_is_never_absent(tmp_path, monkeypatch):
    with atomic_folder(tmp_path / "model") as draft:
        (draft / "first").touch()
    monkeypatch.setattr(os, "replace", None)  # moving one away and the other there takes two calls
    with atomic_folder(tmp_path / "model") as draft:
        (draft / "second").touch()
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["second"]


def test_failed_move_restores_the_old_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(recsys.files, "exchanged", lambda *_: False)
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


WRITE = """
import os, sys, tempfile, time
import recsys.files
from recsys.files import atomic_file, atomic_folder, temporary_folder

def wait():
    print("busy", flush=True)
    time.sleep(60)

what, path = sys.argv[1:]
if what == "old moved":
    recsys.files.exchanged = lambda *names: False
    replace = os.replace
    os.replace = lambda *names: wait() if "new" in str(names[0]) else replace(*names)
if what == "temporary":
    tempfile.tempdir = path
    with temporary_folder("mine") as draft:
        (draft / "half").touch()
        wait()
with (atomic_file if what == "file" else atomic_folder)(path) as draft:
    (draft if what == "file" else draft / "half").touch()
    if what != "old moved":
        wait()
"""


@pytest.fixture
def writer():
    """A function that starts a process, which stops in the middle of a write."""
    started = []

    def start(what, path):
        words = [sys.executable, "-c", WRITE, what, str(path)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "busy\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_next_write_removes_what_a_killed_one_left(tmp_path, writer):
    kill(writer("folder", tmp_path / "model"))
    kill(writer("file", tmp_path / "a.txt"))
    assert len(names(tmp_path)) == 2
    with atomic_folder(tmp_path / "model") as draft:
        (draft / "whole").touch()
    assert len(names(tmp_path)) == 2, "of the same path only"
    write_text(tmp_path / "a.txt", "whole")
    assert names(tmp_path) == ["a.txt", "model"] and names(tmp_path / "model") == ["whole"]


def test_next_write_keeps_the_folder_of_a_running_process(tmp_path, writer):
    writer("folder", tmp_path / "model")
    (busy,) = tmp_path.iterdir()
    with atomic_folder(tmp_path / "model"):
        assert busy.exists() and len(names(tmp_path)) == 2
    assert (busy / "new" / "half").exists()


def test_folder_that_was_moved_away_is_put_back_even_if_the_next_write_fails(tmp_path, writer):
    with atomic_folder(tmp_path / "model") as draft:
        (draft / "kept").touch()
    kill(writer("old moved", tmp_path / "model"))
    assert not (tmp_path / "model").exists()
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "model"):
        raise KeyboardInterrupt
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["kept"]


def test_older_folder_of_a_killed_write_does_not_replace_the_new_one(tmp_path, writer):
    kill(writer("folder", tmp_path / "model"))
    (leftover,) = tmp_path.iterdir()
    (leftover / "old").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "kept").touch()
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "model"):
        raise KeyboardInterrupt
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["kept"]


def test_name_with_brackets_is_no_pattern(tmp_path, writer):
    kill(writer("folder", tmp_path / "model[1]"))
    kill(writer("folder", tmp_path / "model1"))
    with atomic_folder(tmp_path / "model[1]"):
        pass
    first, second = names(tmp_path)
    assert first.startswith(".model1-") and second == "model[1]"


def test_folders_that_are_not_ours_are_kept(tmp_path):
    (tmp_path / "elsewhere" / "old").mkdir(parents=True)
    (tmp_path / ".model-linktohr.draft").symlink_to(tmp_path / "elsewhere")
    for name in (".model-settings", ".model-thesis12.draft", ".model2-abcdefgh.draft"):
        (tmp_path / name).mkdir()
    (tmp_path / ".model-thesis12.draft" / "thesis.txt").touch()
    before = names(tmp_path)
    with atomic_folder(tmp_path / "model"):
        pass
    assert names(tmp_path) == sorted([*before, "model"])
    assert names(tmp_path / "elsewhere") == ["old"]


def test_temporary_folder_is_removed_at_the_end_or_by_the_next_call(tmp_path, monkeypatch, writer):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kill(writer("temporary", tmp_path))
    assert len(names(tmp_path)) == 1
    with temporary_folder("mine") as folder:
        assert names(folder) == [] and folder.is_relative_to(tmp_path)
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == []
