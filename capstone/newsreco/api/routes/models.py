"""The model metrics API: the trainings that MLflow has recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from newsreco.api import schemas
from newsreco.api.deps import Served
from newsreco.tracking import listing


async def require_reader(request: Request) -> None:
    """HTTPException 401 without the API key, unless this is a demonstration."""
    guard = request.app.state.guard
    if not guard.demo or "x-api-key" in request.headers:
        guard.require_admin(request)


router = APIRouter(prefix="/models", tags=["models"], dependencies=[Depends(require_reader)])
RunId = Annotated[str, schemas.StringConstraints(pattern=r"^[0-9a-f]{32}$")]


async def answer(read: Callable, *arguments: Any) -> dict[str, Any]:
    """What a function of `listing` reads in a thread; 404 for an unknown run, 503 for no MLflow."""
    try:
        data = await asyncio.to_thread(read, *arguments)
    except KeyError as error:
        raise HTTPException(404, f"no run has the id {error}") from None
    except ValueError as error:
        raise HTTPException(503, f"MLflow does not answer: {type(error).__name__}") from None
    return {"success": True, "data": data, "count": len(data) if isinstance(data, list) else 1}


@router.get("/runs")
async def runs(
    service: Served,
    model_type: listing.ModelType | None = None,
    status: listing.Status | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> schemas.RunList:
    """The newest runs."""
    return await answer(listing.list_runs, service.tracking_uri, model_type, status, limit)


@router.get("/runs/{run_id}")
async def run(run_id: RunId, service: Served) -> schemas.OneRun:
    """One run, with its tags."""
    return await answer(listing.read_run, run_id, service.tracking_uri)


@router.get("/runs/{run_id}/history")
async def history(run_id: RunId, service: Served) -> schemas.History:
    """Metrics at each step of a run, such as the loss."""
    return await answer(listing.read_history, run_id, service.tracking_uri)


@router.get("/summary")
async def summary(service: Served) -> schemas.Summary:
    """All runs, counted."""
    return await answer(listing.summarize, service.tracking_uri)


@router.post("/compare")
async def compare(given: schemas.Comparison, service: Served) -> schemas.Compared:
    """Runs side by side, on the metrics that all of them have."""
    return await answer(listing.compare, given.run_ids, service.tracking_uri)
