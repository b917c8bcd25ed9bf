"""Versions of the library and of installed packages; every module can import this one."""

from importlib import metadata

__version__ = "0.2.0"


def installed_version(package: str) -> str | None:
    """Version of an installed package, None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
