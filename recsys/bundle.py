"""Bundles of models and logs: a folder with a manifest, arrays and nothing that can run.

manifest.json names the class and its module, its parameters, the fingerprint of the training
data and the sha256 of every other file. Loading verifies all of it. It imports modules of
`recsys` only; any other module must be imported already. Pickle is left out on purpose: opening
a pickle runs whatever code its author put there.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.files import atomic_folder, resolved_folder
from recsys.version import __version__

FORMAT = 2
ARRAYS = "arrays.npz"
LABELS = "labels.json"
MANIFEST = "manifest.json"


def save(
    folder: str | Path, cls: type, parameters: dict, fingerprint: str, arrays: dict[str, Any]
) -> None:
    """Write a bundle, replacing an earlier one; an interrupted save leaves that one, or none.

    Parameters
    ----------
    folder : path
        New, empty or an earlier bundle; "~" is expanded, links are followed.
    cls : type
        Class of the object. `load` calls its class method `restore(parameters, fingerprint,
        arrays)`, which must return the object.
    parameters : dict
        Anything that JSON can hold, and random generators.
    fingerprint : str
        Of the training data.
    arrays : dict of arrays, CSR matrices and lists of labels
        Labels, which must be text or whole numbers, go to labels.json.
    """
    labels = {name: array for name, array in arrays.items() if isinstance(array, list)}
    _check_labels(labels)
    arrays = {name: array for name, array in arrays.items() if name not in labels}
    with atomic_folder(check_folder(folder)) as draft:
        np.savez(draft / ARRAYS, **flatten(arrays))
        if labels:
            (draft / LABELS).write_text(json.dumps(labels) + "\n")
        manifest = {
            "format": FORMAT,
            "version": __version__,
            **class_name(cls),
            "parameters": to_json(parameters),
            "data_fingerprint": fingerprint,
            "sha256": {file.name: _sha256(file) for file in sorted(draft.iterdir())},
        }
        manifest["checksum"] = checksum(manifest)
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def check_folder(folder: str | Path) -> Path:
    """The folder as a path; ValueError if it holds anything but an earlier bundle.

    So does a folder that cannot be replaced, such as the working folder.
    """
    folder = validation.path("folder", folder)
    if folder.exists() and not (folder.is_dir() and _replaceable(folder)):
        raise ValueError(f"folder must be new, empty or an earlier bundle, got {str(folder)!r}")
    resolved_folder(folder)
    return folder


def load(folder: str | Path) -> Any:
    """Read a bundle that `save` of a model or an Interactions wrote, and return that object.

    Raises
    ------
    ValueError
        If the folder is no bundle, is incomplete, any file differs from what was saved, or the
        class is neither in `recsys` nor imported.
    """
    with restoring(folder):
        manifest, arrays = read(folder)
        cls = find_class(manifest["module"], manifest["class"])
        return cls.restore(manifest["parameters"], manifest["data_fingerprint"], arrays)


@contextlib.contextmanager
def restoring(folder: str | Path) -> Iterator[None]:
    """ValueError that names the folder if its contents lack a part, or have one too many."""
    try:
        yield
    except KeyError as error:
        raise ValueError(f"bundle {str(folder)!r} must hold {error}, got none") from error
    except TypeError as error:  # of a constructor, which names the argument
        raise ValueError(f"bundle {str(folder)!r} is of another version: {error}") from error


def read(folder: str | Path) -> tuple[dict, dict[str, Any]]:
    """The manifest and the arrays of a bundle, verified; labels are among the arrays, as lists."""
    folder = validation.path("folder", folder)
    manifest = read_manifest(folder)
    if not {ARRAYS} <= set(manifest["sha256"]) <= {ARRAYS, LABELS}:
        raise ValueError(f"{str(folder / MANIFEST)!r} must hold the sha256 of its files")
    for name, digest in manifest["sha256"].items():
        path = folder / name
        if not path.is_file():
            raise ValueError(f"bundle {str(folder)!r} must hold {name}, got no such file")
        if _sha256(path) != digest:
            raise ValueError(f"{str(path)!r} has been changed or cut short: its sha256 differs")
    with np.load(folder / ARRAYS, allow_pickle=False) as file:
        arrays = _unflatten(dict(file))
    if LABELS in manifest["sha256"]:
        arrays |= json.loads((folder / LABELS).read_text())
    return manifest | {"parameters": _from_json(manifest["parameters"])}, arrays


def class_name(cls: type) -> dict[str, str]:
    """Module and name of a class, as manifests hold them."""
    return {"module": cls.__module__, "class": cls.__name__}


def find_class(module: str, name: str, maker: str = "restore", kind: str = "model") -> type:
    """The class of that name with the class method `maker`; imports modules of `recsys` only."""
    if module.startswith("recsys."):
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if not error.name.startswith("recsys."):  # an optional dependency
                raise
    elif module not in sys.modules:
        raise ValueError(f"the {kind}'s class is {module}.{name}: import {module} before loading")
    cls = getattr(sys.modules.get(module), name, None)
    if not (isinstance(cls, type) and cls.__module__ == module and hasattr(cls, maker)):
        if module == "__main__":
            raise ValueError(
                f"the {kind}'s class is {name!r} of the script that saved it: move it to a module "
                "that both import, and save again"
            )
        raise ValueError(f"module {module} has no {kind} class {name!r}")
    return cls


def checksum(manifest: dict) -> str:
    """The sha256 of all fields of a manifest but the checksum itself."""
    fields = {name: value for name, value in manifest.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: str | Path) -> dict:
    """The manifest of a bundle; only its own checksum is verified."""
    folder = validation.path("folder", folder)
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"folder must be a model bundle with a {MANIFEST}, got {str(folder)!r}")
    try:
        manifest = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is not valid JSON: {error}") from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ValueError(f"{str(path)!r} must be a manifest of format {FORMAT}")
    if manifest["format"] != FORMAT:
        raise ValueError(
            f"{str(folder)!r} was saved by version {manifest.get('version')} (format "
            f"{manifest['format']}): fit and save the model again, as version {__version__} reads "
            f"format {FORMAT} only"
        )
    if manifest.get("checksum") != checksum(manifest):
        raise ValueError(f"{str(path)!r} has been changed or cut short: its checksum differs")
    return manifest


def _check_labels(labels: dict[str, list]) -> None:
    for name, values in labels.items():
        for label in values:
            if type(label) not in (str, int):
                raise ValueError(f"{name} must be text or whole numbers to be saved, got {label!r}")


def flatten(arrays: dict[str, Any]) -> dict[str, np.ndarray]:
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


def to_json(value: Any) -> Any:
    """A parameter as JSON can hold it; a generator as its state."""
    if isinstance(value, np.random.Generator):
        return {"generator": to_json(value.bit_generator.state)}
    if isinstance(value, dict):
        return {name: to_json(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(part) for part in value]
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict) and "generator" in value:
        bits = getattr(np.random, value["generator"]["bit_generator"])()
        bits.state = value["generator"]
        return np.random.Generator(bits)
    if isinstance(value, dict):
        return {name: _from_json(part) for name, part in value.items()}
    return [_from_json(part) for part in value] if isinstance(value, list) else value


def _replaceable(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()}
    return not names or {MANIFEST, ARRAYS} <= names <= {MANIFEST, ARRAYS, LABELS}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
