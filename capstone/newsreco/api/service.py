"""One worker's service: the model that serves, what it searches, and what it stores.

Everything that changes the live model runs in the event loop, one step at a time; so no list is
made from half an update. Slow work (loading a model, indexing passages, MLflow) runs in threads
and is swapped in when it is whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from dataclasses import dataclass
from typing import Any

from newsreco.api.events import Event, EventStore, NewArticle
from newsreco.api.home import Home
from newsreco.api.live import LiveModel, Served
from newsreco.api.metrics import Metrics
from newsreco.api.models import ModelSource, Source
from newsreco.api.schemas import ArrivingArticle, Feedback
from newsreco.api.writer import Writer
from newsreco.assistant import Answer, Assistant, Claude
from newsreco.config import Config
from newsreco.models.ordering import ordered_by_age

LOG = logging.getLogger("newsreco.api")


@dataclass(frozen=True)
class Library:
    """What search and assistant read: an index of all articles as of one moment."""

    assistant: Assistant
    n_articles: int


class Service:
    """The state of one worker; `await start()` before the first request.

    Parameters
    ----------
    home : Home
        Prepared: it has a model.
    config : Config
    """

    def __init__(self, home: Home, config: Config, metrics: Metrics):
        self.home, self.config, self.metrics = home, config, metrics
        self.store = EventStore(config.events_url or home.events_url)
        given = "tracking_uri" in config.model_fields_set
        self.tracking_uri = config.tracking_uri if given else home.tracking_uri
        self.models = ModelSource(home, config.use_registry, self.tracking_uri)
        self.problem: str | None = None
        self.live: LiveModel | None = None
        self.library: Library | None = None
        self.source: Source | None = None
        self.loading = asyncio.Lock()
        self.indexing = asyncio.Lock()
        self.tasks: set[asyncio.Task] = set()

    async def start(self) -> None:
        """Load the model, index the articles, and look for new versions from now on."""
        self.writer = await Writer(self.store).__aenter__()
        await self.reload()
        if self.live is None and self.models.use_registry:
            self.models, wanted = ModelSource(self.home, False, self.tracking_uri), self.models
            reason = self.problem
            await self.reload()
            self.models, self.problem = wanted, reason
        if self.live is not None and self.config.use_registry:
            self._in_background(self._poll())

    async def stop(self) -> None:
        """Store what waits and close the database."""
        for task in self.tasks:
            task.cancel()
        await self.writer.__aexit__()
        self.store.close()

    async def reload(self) -> bool:
        """Serve the model that should be served now; False if it is served already or cannot be.

        The old model answers until the new one has counted all events.
        """
        async with self.loading:
            try:
                source = await asyncio.to_thread(self.models.current)
                if source == self.source:
                    self.problem = None
                    return False
                live = await asyncio.to_thread(self._load, source)
                live.catch_up()
                library = await asyncio.to_thread(self._index, live)
            except Exception as error:  # whatever is wrong with it, the last good model stays
                self.problem = f"{type(error).__name__}: {error}"
                LOG.error("model not loaded: %s", self.problem)
                return False
            self.live, self.library, self.source, self.problem = live, library, source, None
            self.metrics.serving(source.version, source.kind)
            LOG.info("serving %s from the %s", source.version, source.kind)
            return True

    def _load(self, source: Source) -> LiveModel:
        model = ordered_by_age(self.models.load(source))
        explore, index = self.config.explore, self.config.index
        live = LiveModel(model, source.version, self.store, explore, index=index)
        live.warm_up()
        return live

    def _index(self, live: LiveModel) -> Library:
        articles = live.model.articles
        writer = Claude() if self.config.anthropic_api_key.get_secret_value() else None
        return Library(Assistant(articles, writer=writer), len(articles))

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self.config.poll_seconds)
            await self.reload()

    def recommend(self, user_id: str, k: int) -> Served:
        """A list, which is stored in the background.

        If the database does not answer, it is made from the events that were read before.
        """
        try:
            self.live.catch_up()
        except ConnectionError as error:
            LOG.error("events not read: %s", error)
        served = self.live.recommend(user_id, k, self.home.now(), bucket(user_id))
        self.writer.put(served.record)
        return served

    async def feedback(self, given: Feedback) -> tuple[str, bool]:
        """Store an event; its id, and whether it is new. It is durable when this returns."""
        values = given.model_dump()
        values["event_id"] = values["event_id"] or uuid.uuid4().hex
        stored = await self.writer.put(Event(**values, time=self.home.now()))
        return values["event_id"], stored

    async def add_article(self, given: ArrivingArticle) -> bool:
        """Store an article that arrives; False if its id was known already."""
        values = given.model_dump(exclude={"id"})
        values["subcategory"] = values["subcategory"] or values["category"]
        self.live.catch_up()
        if given.id in self.live.item_number:
            return False
        stored = await self.writer.put(NewArticle(given.id, **values, time=self.home.now()))
        self.live.catch_up()
        self._in_background(self._index_again())
        return stored

    async def _index_again(self) -> None:
        """Let search and assistant know of articles that arrived; several in one go."""
        async with self.indexing:
            live = self.live
            if self.library.n_articles < len(live.model.articles):
                library = await asyncio.to_thread(self._index, live)
                if self.live is live:
                    self.library = library

    async def delete_user(self, user_id: str) -> int:
        """Delete what is stored of a user, here and in all workers; the number of rows."""
        await self.writer.flush()  # lists of the user may still wait
        n = await asyncio.to_thread(self.store.delete_user, user_id, self.home.now())
        self.live.catch_up()
        return n

    async def ask(self, question: str) -> Answer:
        """The assistant's answer; ValueError for an invalid question."""
        return await asyncio.to_thread(self.library.assistant.ask, question)

    async def search(self, query: str, k: int, category: str | None) -> list[tuple[int, float]]:
        """The best articles for a query, by their best passage, with its score."""
        return await asyncio.to_thread(self._search, query, k, category)

    def _search(self, query: str, k: int, category: str | None) -> list[tuple[int, float]]:
        search = self.library.assistant.search
        articles = search.passages.articles
        number = articles.categories.index(category) if category in articles.categories else -1
        passages, scores = search.search(query, 20 * k if category is None else len(articles))
        best: dict[int, float] = {}
        for item, score in zip(search.passages.article[passages].tolist(), scores.tolist()):
            if category is None or articles.category[item] == number:
                best.setdefault(item, score)
        return list(best.items())[:k]

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def bucket(user_id: str) -> str:
    """The user's half of an A/B test, "a" or "b", the same on every worker and day."""
    return "ab"[hashlib.sha256(user_id.encode()).digest()[0] % 2]
