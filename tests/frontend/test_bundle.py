"""The built app's size, and that it needs no other host."""

import gzip
import re

MOST = 250_000  # bytes, gzipped, of all files together


def test_all_that_is_built_is_under_250_kb_gzipped(built):
    files = [path for path in built.rglob("*") if path.is_file() and path.name != ".sources"]
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 6)) for path in files}
    assert sum(sizes.values()) < MOST, sizes


def test_pages_load_nothing_from_other_hosts_and_no_inline_script(built):
    page = (built / "index.html").read_text()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links and all(link.startswith("/") and not link.startswith("//") for link in links)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
