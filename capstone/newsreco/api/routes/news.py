"""Reading news: recommendations, search, answers, articles."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError

from newsreco.api import schemas
from newsreco.api.deps import ADMIN, Guarded, Measured, Served
from newsreco.data import Articles

router = APIRouter(tags=["news"])
Query_ = Annotated[str, Query(min_length=1, max_length=300, description="words to look for")]


@router.get("/recommend/{user_id}")
async def recommend(
    user_id: schemas.Id, request: Request, service: Served, guard: Guarded, metrics: Measured,
    k: schemas.K = 10,
) -> schemas.Recommendations:  # fmt: skip
    """The k best articles for a user, now. An unknown user is a cold start."""
    guard.require_user(request, user_id)
    served = service.recommend(user_id, k)
    articles = service.live.model.articles
    metrics.list_served(served, len(articles))
    rows = [
        schemas.Recommended(
            **described(articles, entry.item), score=entry.score, reason=entry.reason
        )
        for entry in served.entries
    ]
    return schemas.Recommendations(
        user_id=user_id,
        cold_start=served.cold_start,
        list_id=served.record.list_id,
        recommendations=rows,
    )


@router.get("/search")
async def search(
    service: Served, q: Query_, k: schemas.K = 10,
    category: Annotated[str | None, Query(max_length=80)] = None,
) -> schemas.SearchResults:  # fmt: skip
    """Articles that hold the words, best first, perhaps of one category."""
    found = await service.search(q, k, category)
    articles = service.live.model.articles
    rows = [schemas.Found(**described(articles, item), score=score) for item, score in found]
    return schemas.SearchResults(query=q, results=rows)


@router.post("/ask")
async def ask(question: schemas.Question, service: Served) -> schemas.Answered:
    """An answer from the articles with its sources, or none."""
    try:
        answer = await service.ask(question.query)
    except ValueError as error:
        place = {"type": "value_error", "loc": ("body", "query"), "msg": str(error)}
        raise RequestValidationError([place]) from None
    mode = "claude" if answer.writer != "extract" else "extractive"
    return schemas.Answered(
        answer=answer.text,
        sources=[
            schemas.Source(id=c.article, title=c.title, quote=c.quote)
            for c in answer.citations[: question.k]
        ],
        mode=mode if answer.answered else "abstains",
        confidence=answer.confidence,
    )


@router.get("/articles/{article_id}")
async def article(article_id: schemas.Id, service: Served) -> schemas.Article:
    """One article."""
    item = service.live.item_number.get(article_id)
    if item is None:
        raise HTTPException(404, f"no article has the id {article_id!r}")
    articles = service.live.model.articles
    return schemas.Article(
        **described(articles, item),
        subcategory=articles.subcategories[articles.subcategory[item]],
        url=articles.url[item],
    )


@router.post(
    "/articles", status_code=201, dependencies=ADMIN, responses={409: {"model": schemas.Error}}
)
async def add_article(given: schemas.ArrivingArticle, service: Served) -> schemas.Article:
    """News arrives: it can be recommended at once. 409 if the id is known."""
    if not await service.add_article(given):
        raise HTTPException(409, f"an article has the id {given.id!r} already")
    return await article(given.id, service)


def described(articles: Articles, item: int) -> dict[str, str]:
    """What every answer says of an article."""
    return {
        "id": articles.ids[item],
        "title": articles.title[item],
        "abstract": articles.abstract[item],
        "category": articles.categories[articles.category[item]],
    }
