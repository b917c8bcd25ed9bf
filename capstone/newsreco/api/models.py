"""Which model is served: the registry's production version, or the home's bundle.

A model that cannot be loaded never replaces one that can: the last good one stays, and health
reports why.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsreco.api.home import Home
from newsreco.config import REGISTERED_MODEL
from newsreco.models.bundle import NewsModel, load_model
from recsys.bundle import read_manifest


@dataclass(frozen=True)
class Source:
    """Where a model is loaded from: its name as `version`, and `registry` or `bundle`."""

    version: str
    kind: str


@dataclass(frozen=True)
class ModelSource:
    """The models of a home and, if it is used, of a registry."""

    home: Home
    use_registry: bool
    tracking_uri: str
    name: str = REGISTERED_MODEL

    def current(self) -> Source:
        """The model that should be served now; quick.

        Raises
        ------
        ValueError, OSError
            If the registry does not answer, or there is neither a version in production nor a
            bundle.
        """
        if self.use_registry and (version := self._production()) is not None:
            return Source(f"v{version}", "registry")
        return Source(read_manifest(self.home.model)["checksum"][:12], "bundle")

    def load(self, source: Source) -> NewsModel:
        """The model, verified."""
        if source.kind == "bundle":
            return load_model(self.home.model)
        from newsreco.tracking.registry import load_version

        return load_version(int(source.version[1:]), self.tracking_uri, self.name)

    def _production(self) -> int | None:
        from newsreco.tracking.registry import production_version

        return production_version(self.tracking_uri, self.name)
