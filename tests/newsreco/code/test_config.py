"""The settings: defaults, the environment, and errors that show no secret."""

import pytest

from newsreco.config import read_config


def test_settings_follow_the_environment_at_call_time(monkeypatch):
    monkeypatch.setenv("NEWSRECO_DATABASE_URL", "postgresql://h/d")
    assert read_config().database_url == "postgresql://h/d"
    monkeypatch.setenv("NEWSRECO_DATABASE_URL", "")
    assert read_config().database_url == "sqlite:///newsreco.db"


def test_api_key_is_never_shown(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-hidden")
    assert "hidden" not in repr(read_config()) + str(read_config().model_dump())
    assert read_config().anthropic_api_key.get_secret_value() == "sk-hidden"


@pytest.mark.parametrize("value", ["soon", "-1", "0"])
def test_invalid_timeout_is_named(monkeypatch, value):
    monkeypatch.setenv("NEWSRECO_TRACKING_TIMEOUT", value)
    with pytest.raises(ValueError, match="^setting tracking_timeout: "):
        read_config()


def test_unknown_index_is_named(monkeypatch):
    monkeypatch.setenv("NEWSRECO_INDEX", "annoy")
    with pytest.raises(ValueError, match="^setting index: .*'exact', 'faiss' or 'qdrant'"):
        read_config()
