"""Model bundles: a folder with a manifest, arrays and nothing that can run.

manifest.json names the class, its parameters, the fingerprint of the training data and the
sha256 of every other file. Loading verifies all of it. Pickle is left out on purpose: opening
a pickle runs whatever its author wrote.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation

FORMAT = 1
ARRAYS = "arrays.npz"
MANIFEST = "manifest.json"


def save(
    folder: str | Path, kind: str, parameters: dict, fingerprint: str, arrays: dict[str, Any]
) -> None:
    """Write a bundle, replacing one that is there.

    Everything is first written beside the folder and then moved into place, so an interrupted
    save leaves the old bundle, or none.
    """
    from recsys import __version__

    folder = check_place(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        draft = workshop / "bundle"  # made by mkdir, so others may read it; mkdtemp forbids that
        draft.mkdir()
        np.savez(draft / ARRAYS, **_flatten(arrays))
        manifest = {
            "format": FORMAT,
            "version": __version__,
            "class": kind,
            "parameters": {name: _plain(value) for name, value in parameters.items()},
            "data_fingerprint": fingerprint,
            "sha256": {ARRAYS: _digest(draft / ARRAYS)},
        }
        manifest["seal"] = _seal(manifest)
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        _move_into_place(draft, folder)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def check_place(folder: str | Path) -> Path:
    """The folder as a path; ValueError where it holds anything but an earlier bundle."""
    folder = validation.path("folder", folder)
    if folder.exists() and not (folder.is_dir() and _replaceable(folder)):
        raise ValueError(f"folder must be new, empty or an earlier bundle, got {str(folder)!r}")
    return folder


def load(folder: str | Path) -> Any:
    """Read a bundle that `model.save(folder)` wrote and return the model.

    Raises
    ------
    ValueError
        If the folder is no bundle, is incomplete, or any file differs from what was saved.
    """
    manifest, arrays = read(folder)
    kind = model_class(manifest["class"])
    return kind._restore(manifest["parameters"], manifest["data_fingerprint"], arrays)


def read(folder: str | Path) -> tuple[dict, dict[str, Any]]:
    """The manifest and the arrays of a bundle, verified; for `load`, and other kinds of model."""
    folder = validation.path("folder", folder)
    manifest = _read_manifest(folder)
    for name, digest in manifest["sha256"].items():
        path = folder / name
        if name != ARRAYS or not path.is_file():
            raise ValueError(f"bundle {str(folder)!r} must hold {ARRAYS}, got no such file")
        if _digest(path) != digest:
            raise ValueError(f"{str(path)!r} has been changed or cut short: its sha256 differs")
    with np.load(folder / ARRAYS, allow_pickle=False) as file:
        arrays = _unflatten(dict(file))
    parameters = {name: _rich(value) for name, value in manifest["parameters"].items()}
    return manifest | {"parameters": parameters}, arrays


def model_class(name: str) -> type:
    """The model class of that name; no other name is ever looked up."""
    from recsys import models

    if name not in models.__all__:
        raise ValueError(f"class must be one of {sorted(models.__all__)}, got {name!r}")
    return getattr(models, name)


def _read_manifest(folder: Path) -> dict:
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"folder must be a model bundle with a {MANIFEST}, got {str(folder)!r}")
    try:
        manifest = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is not valid JSON: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{str(path)!r} must have format {FORMAT}")
    if manifest.get("seal") != _seal(manifest):
        raise ValueError(f"{str(path)!r} has been changed or cut short: its seal differs")
    return manifest


def _seal(manifest: dict) -> str:
    """The sha256 of the manifest's other fields."""
    fields = {name: value for name, value in manifest.items() if name != "seal"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _flatten(arrays: dict[str, Any]) -> dict[str, np.ndarray]:
    """CSR matrices as their parts, named `name.part`."""
    flat = {}
    for name, array in arrays.items():
        if sparse.issparse(array):
            for part in ("data", "indices", "indptr", "shape"):
                flat[f"{name}.{part}"] = np.asarray(getattr(array, part))
        else:
            flat[name] = np.asarray(array)
    return flat


def _unflatten(flat: dict[str, np.ndarray]) -> dict[str, Any]:
    arrays = {name: array for name, array in flat.items() if "." not in name}
    for name in dict.fromkeys(key.split(".")[0] for key in flat if "." in key):
        data, indices, indptr, shape = (
            flat[f"{name}.{part}"] for part in ("data", "indices", "indptr", "shape")
        )
        arrays[name] = sparse.csr_matrix((data, indices, indptr), shape=tuple(shape))
    return arrays


def _plain(value: Any) -> Any:
    """A parameter as JSON; a generator as its state."""
    if isinstance(value, np.random.Generator):
        return {"generator": _plain(value.bit_generator.state)}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _rich(value: Any) -> Any:
    if isinstance(value, dict) and "generator" in value:
        bits = getattr(np.random, value["generator"]["bit_generator"])()
        bits.state = value["generator"]
        return np.random.Generator(bits)
    if isinstance(value, dict):
        return {name: _rich(part) for name, part in value.items()}
    return [_rich(part) for part in value] if isinstance(value, list) else value


def _replaceable(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()}
    return not names or names == {MANIFEST, ARRAYS}


def _move_into_place(draft: Path, folder: Path) -> None:
    """Rename `draft` to `folder`; what was there steps aside first and is then deleted."""
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        if folder.exists():
            os.replace(folder, old / "bundle")
        try:
            os.replace(draft, folder)
        except BaseException:
            if (old / "bundle").exists():
                os.replace(old / "bundle", folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
