"""Users: their sessions, their events, and all that is stored of them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response

from newsreco.api import schemas
from newsreco.api.deps import Guarded, Measured, Served
from newsreco.api.events import Event, ServedList
from newsreco.api.live import LiveModel
from newsreco.api.security import COOKIE, new_user

router = APIRouter(tags=["users"])


@router.get("/session")
async def session(request: Request, response: Response, guard: Guarded) -> schemas.Session:
    """The browser's user; a new one if it has none."""
    user = guard.session(request)
    if user is None:
        user = new_user()
        token = guard.open_session(request, response, user)
    else:
        token = guard.token(request.cookies[COOKIE])
    return schemas.Session(user_id=user, csrf_token=token, demo=guard.demo)


@router.post("/session")
async def choose_user(
    given: schemas.NewSession, request: Request, response: Response, guard: Guarded
) -> schemas.Session:
    """Become another user: with `--demo` the one that is named, else a new one."""
    if given.user_id is not None and not guard.demo:
        raise HTTPException(403, "a user can be chosen with --demo only")
    if (now := guard.session(request)) is not None:
        guard.require_user(request, now)
    user = given.user_id or new_user()
    token = guard.open_session(request, response, user)
    return schemas.Session(user_id=user, csrf_token=token, demo=guard.demo)


@router.get("/session/users")
async def demo_users(service: Served, guard: Guarded) -> schemas.DemoUsers:
    """With `--demo`: some users who can be chosen, from those with most clicks to those with one.

    403 without.
    """
    if not guard.demo:
        raise HTTPException(403, "users are listed with --demo only")
    return schemas.DemoUsers(users=example_users(service.live))


def example_users(live: LiveModel, count: int = 6) -> list[schemas.DemoUser]:
    """Users of the training data who clicked, evenly spaced by their number of clicks."""
    ids = live.model.user_ids
    clicks = live.state.arrays.user_clicks[: len(ids)]
    order = np.argsort(-clicks, kind="stable")[: np.count_nonzero(clicks)]
    spaced = np.unique(np.linspace(0, len(order) - 1, count).astype(int)) if len(order) else []
    return [schemas.DemoUser(user_id=ids[user], clicks=int(clicks[user])) for user in order[spaced]]


@router.post("/feedback")
async def feedback(
    given: schemas.Feedback, request: Request, service: Served, guard: Guarded, metrics: Measured
) -> schemas.Acknowledged:
    """An event, durable when it is acknowledged. 404 for an article that is not known."""
    guard.require_user(request, given.user_id)
    service.live.catch_up()
    if given.news_id not in service.live.item_number:
        raise HTTPException(404, f"no article has the id {given.news_id!r}")
    event_id, stored = await service.feedback(given)
    if stored:
        metrics.event(given.event, given.position)
    return schemas.Acknowledged(event_id=event_id, stored=stored)


@router.get("/users/{user_id}")
async def user(
    user_id: schemas.Id, request: Request, service: Served, guard: Guarded
) -> schemas.UserData:
    """All that is stored of a user."""
    guard.require_user(request, user_id)
    await service.writer.flush()
    return schemas.UserData(
        user_id=user_id,
        in_training_data=service.live.in_training_data(user_id),
        events=[asdict(row) for row in service.store.of_user(Event, user_id)],
        lists=[asdict(row) for row in service.store.of_user(ServedList, user_id)],
    )


@router.delete("/users/{user_id}")
async def delete_user(
    user_id: schemas.Id, request: Request, service: Served, guard: Guarded
) -> schemas.Deleted:
    """Delete all that is stored of a user; later models leave out what the data files hold."""
    guard.require_user(request, user_id)
    return schemas.Deleted(user_id=user_id, rows=await service.delete_user(user_id))
