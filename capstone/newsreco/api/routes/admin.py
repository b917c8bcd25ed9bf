"""Health, readiness, and what only the operator may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from newsreco.api import schemas
from newsreco.api.deps import ADMIN, Served
from newsreco.api.events import Event, EventStore
from newsreco.output import json_text

router = APIRouter(tags=["operation"])


@router.get("/health")
async def health(service: Served) -> schemas.Health:
    """What serves, and why it is not a newer one."""
    model, source = service.live.model, service.source
    claude = service.library.assistant.writer is not None
    return schemas.Health(
        status="failing" if service.problem else "ok",
        model_version=source.version,
        model_source=source.kind,
        embedder=model.settings.embedder,
        ranker=model.settings.ranker,
        articles=len(model.articles),
        assistant="claude" if claude else "extractive",
        problem=service.problem,
    )


@router.get("/ready", responses={503: {"model": schemas.Ready}})
async def ready(request: Request, response: Response) -> schemas.Ready:
    """Whether requests can be answered; 503 if not, with what to do."""
    service = request.app.state.service
    if service.live is None:
        response.status_code = 503
    return schemas.Ready(ready=service.live is not None, problem=service.problem)


@router.post("/admin/reload", dependencies=ADMIN)
async def reload(service: Served) -> schemas.Health:
    """Serve the model that should be served now, without a pause."""
    await service.reload()
    return await health(service)


@router.get("/admin/events", dependencies=ADMIN, response_class=StreamingResponse)
async def events(
    service: Served, after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0
) -> StreamingResponse:
    """All events after a number, as JSON lines."""
    return StreamingResponse(json_lines(service.store, after), media_type="application/x-ndjson")


def json_lines(store: EventStore, after: int) -> Iterator[str]:
    """One line per event, in order."""
    while rows := store.after(Event, after, limit=1_000):
        after = rows[-1].number
        yield "".join(json_text(asdict(row)) + "\n" for row in rows)
