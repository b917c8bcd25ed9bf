"""What routes ask for: the worker's service, its guard and its metrics.

These are coroutines, since FastAPI runs plain functions in threads: that takes longer than they.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from newsreco.api.metrics import Metrics
from newsreco.api.security import Guard
from newsreco.api.service import Service


async def get_service(request: Request) -> Service:
    """The service; HTTPException 503 while it has no model."""
    service = request.app.state.service
    if service.live is None:
        raise HTTPException(503, service.problem or "the service is starting")
    return service


async def get_guard(request: Request) -> Guard:
    """The guard."""
    return request.app.state.guard


async def get_metrics(request: Request) -> Metrics:
    """The metrics."""
    return request.app.state.metrics


async def require_admin(request: Request) -> None:
    """HTTPException 401 without the API key."""
    request.app.state.guard.require_admin(request)


Served = Annotated[Service, Depends(get_service)]
Guarded = Annotated[Guard, Depends(get_guard)]
Measured = Annotated[Metrics, Depends(get_metrics)]
ADMIN = [Depends(require_admin)]
