"""Metrics of the service, in the text format that Prometheus reads.

With several workers, prometheus_client collects them in the folder PROMETHEUS_MULTIPROC_DIR, which
`newsreco serve` sets; any worker then answers for all.
"""

from __future__ import annotations

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """Counters and histograms of one worker."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Histogram(
            "newsreco_request_seconds", "Duration of requests", ("method", "route", "status"),
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self.stages = Histogram(
            "newsreco_stage_seconds", "Duration of each stage of a recommendation", ("stage",),
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self.lists = Counter(
            "newsreco_lists", "Lists served, by cold start", ("cold_start",), registry=registry
        )
        self.served = Counter(
            "newsreco_served", "Articles served, by position", ("position",), registry=registry
        )
        self.events = Counter(
            "newsreco_events", "Events stored, by kind and position", ("event", "position"),
            registry=registry,
        )  # fmt: skip
        self.coverage = Gauge(
            "newsreco_coverage", "Fraction of the articles that this worker has recommended",
            registry=registry, multiprocess_mode="max",
        )  # fmt: skip
        self.model = Gauge(
            "newsreco_model", "1 for the version that serves", ("version", "source"),
            registry=registry, multiprocess_mode="max",
        )  # fmt: skip
        self.recommended: set[str] = set()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self.requests.labels(method, route, str(status)).observe(seconds)

    def list_served(self, served, n_articles: int) -> None:
        """A list was made."""
        for stage, seconds in served.seconds.items():
            self.stages.labels(stage).observe(seconds)
        self.lists.labels(str(served.cold_start).lower()).inc()
        for position in range(len(served.entries)):
            self.served.labels(str(position)).inc()
        self.recommended.update(served.record.news_ids)
        self.coverage.set(len(self.recommended) / max(n_articles, 1))

    def event(self, event: str, position: int | None) -> None:
        """An event was stored."""
        self.events.labels(event, "" if position is None else str(position)).inc()

    def serving(self, version: str, source: str) -> None:
        """A model began to serve."""
        self.model.clear()
        self.model.labels(version, source).set(1)

    def text(self) -> bytes:
        """All metrics, of all workers."""
        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry)
