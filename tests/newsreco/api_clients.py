"""Clients of the service in tests."""

KEY = "key-of-the-tests"


def open_session(client):
    """Give a client a session of its own, as a browser has one: `client.user` is its user."""
    session = client.get("/api/session").json()
    client.user, client.headers["X-CSRF-Token"] = session["user_id"], session["csrf_token"]
    return client
