"""Events: what the service showed and what its users did, durable before it is acknowledged."""

from newsreco.api.events.store import Event, EventStore, NewArticle, ServedList

__all__ = ["Event", "EventStore", "NewArticle", "ServedList"]
