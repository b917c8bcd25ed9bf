"""The web app's files: pages, assets, headers, and what an unknown address gets."""

import pytest

from newsreco.api.ui import BESIDE, FOREVER, MISSING, ui_folder

HTML = {"Accept": "text/html,*/*"}
SCRIPT = "let a = 1;" * 500


@pytest.fixture
def folder(tmp_path):
    """A built app."""
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<title>app</title>")
    (built / "icon.svg").write_text("<svg/>")
    (built / "assets" / "index-abc.js").write_text(SCRIPT)
    (tmp_path / "outside.txt").write_text("secret")
    return built


@pytest.fixture
def client(start, folder):
    return start(ui=str(folder))


@pytest.mark.parametrize("path", ["/", "/search", "/ask", "/metrics", "/search?q=match"])
def test_a_page_is_the_app_and_is_asked_for_anew(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, "<title>app</title>")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/html")
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_asset_is_kept_and_compressed(client):
    answer = client.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
    assert answer.text == SCRIPT
    assert answer.headers["cache-control"] == FOREVER
    assert answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"]


def test_all_files_have_the_content_security_policy(client):
    for path in ("/", "/icon.svg", "/assets/index-abc.js", "/nothing"):
        headers = client.get(path, headers=HTML).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_browser_gets_the_app_for_an_unknown_page_with_404(client):
    answer = client.get("/nothing", headers=HTML)
    assert (answer.status_code, answer.text) == (404, "<title>app</title>")


@pytest.mark.parametrize("path", ["/api/nothing", "/api/articles/N0"])
def test_unknown_addresses_of_the_api_stay_json(client, path):
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 404
    assert answer.json()["detail"]


def test_an_unknown_page_is_json_for_other_clients(client):
    assert client.get("/nothing").json() == {"detail": "Not Found"}
    assert client.get("/nothing", headers={"Accept": "application/json"}).status_code == 404


def test_a_wrong_method_is_still_405(client):
    assert client.put("/api/health").status_code == 405
    assert client.get("/api/feedback", headers=HTML).status_code == 405
    assert client.post("/metrics").status_code == 405


def test_an_unknown_asset_is_not_kept(client):
    answer = client.get("/assets/old.js")
    assert answer.status_code == 404
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize("up", ["../../", "%2e%2e/%2e%2e/", "..%2f..%2f"])
def test_no_path_leads_out_of_the_folder(client, up):
    assert "secret" not in client.get(f"/assets/{up}outside.txt").text


def test_the_api_s_document_names_no_page(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert all(path.startswith("/api/") for path in paths)


def test_without_a_built_app_the_first_page_says_how_to_build_it(start, monkeypatch, tmp_path):
    monkeypatch.setattr("newsreco.api.ui.BESIDE", tmp_path)
    client = start()
    answer = client.get("/")
    assert (answer.status_code, answer.text) == (404, MISSING)
    assert client.get("/api/health").status_code == 200


def test_a_given_folder_without_the_app_is_named(tmp_path):
    with pytest.raises(ValueError, match="NEWSRECO_UI is .*no index.html"):
        ui_folder(str(tmp_path))


def test_the_app_is_looked_for_beside_the_package():
    assert BESIDE.parts[-3:] == ("capstone", "frontend", "dist")
