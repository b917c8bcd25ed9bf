"""A stand-in for a Qdrant server, which no test can have: the documented HTTP contract.

Each request must have a documented path and method, and a body of the documented shape; any other
is answered with an error and kept in `refused`. The shapes are those of Qdrant's OpenAPI document
(qdrant/qdrant, docs/redoc/v1.19.x/openapi.json), narrowed to the fields that an index needs. The
answers are exact, as a server's are with params.exact; of equal products the higher id comes first,
since Qdrant does not define which does.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema
import numpy as np

INTEGER = {"type": "integer", "minimum": 0}
FLOATS = {"type": "array", "items": {"type": "number"}, "minItems": 1}
IDS = {"type": "array", "items": INTEGER}
SCALAR = {"type": ["string", "integer", "boolean"]}


def record(required, **properties):
    """Schema of an object that has these fields and no others."""
    closed = {"type": "object", "additionalProperties": False}
    return closed | {"required": required, "properties": properties}


def either(*schemas):
    return {"anyOf": list(schemas)}


LISTS = either(
    {"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}
)
BOUND = {"type": ["number", "null"]}
RANGE = record([], gte=BOUND, lte=BOUND, gt=BOUND, lt=BOUND)
FIELD = record(["key", "match"], key={"type": "string"}, match=record(["value"], value=SCALAR))
FIELD_ANY = record(["key", "match"], key={"type": "string"}, match=record(["any"], any=LISTS))
FIELD_RANGE = record(["key", "range"], key={"type": "string"}, range=RANGE)
HAS_ID = record(["has_id"], has_id=IDS)
CONDITIONS = {"type": "array", "items": {"$ref": "#/$defs/condition"}, "minItems": 1}
FILTER = record([], must=CONDITIONS, must_not=CONDITIONS, should=CONDITIONS)
CONDITION = either(FIELD, FIELD_ANY, FIELD_RANGE, HAS_ID, FILTER)
QUERY = record(
    ["query", "limit"],
    query=either(FLOATS, record(["nearest"], nearest=FLOATS)),
    filter=FILTER,
    params=record([], exact={"type": "boolean"}, hnsw_ef={"type": "integer", "minimum": 1}),
    limit={"type": "integer", "minimum": 1},
    with_vector={"type": "boolean"},
    with_payload={"type": "boolean"},
)
SCHEMAS = {
    "create": record(
        ["vectors"],
        vectors=record(
            ["size", "distance"],
            size={"type": "integer", "minimum": 1},
            distance={"enum": ["Cosine", "Euclid", "Dot", "Manhattan"]},
        ),
    ),
    "column": record(
        ["field_name", "field_schema"],
        field_name={"type": "string"},
        field_schema={"enum": ["keyword", "integer", "float", "bool", "geo", "datetime", "uuid"]},
    ),
    "upsert": record(
        ["batch"],
        batch=record(
            ["ids", "vectors"],
            ids=IDS,
            vectors={"type": "array", "items": FLOATS},
            payloads={"type": "array", "items": {"type": "object"}},
        ),
    ),
    "query": record(["searches"], searches={"type": "array", "items": QUERY, "minItems": 1}),
    "retrieve": record(
        ["ids"], ids=IDS, with_payload={"type": "boolean"}, with_vector={"type": "boolean"}
    ),
    "remove": record(["points"], points=IDS),
}
COLLECTION = r"/collections/([\w-]+)"
ROUTES = [  # method, path, what it does, whether it may wait=true
    ("PUT", COLLECTION, "create", False),
    ("DELETE", COLLECTION, "drop", False),
    ("PUT", COLLECTION + "/index", "column", True),
    ("PUT", COLLECTION + "/points", "upsert", True),
    ("POST", COLLECTION + "/points", "retrieve", False),
    ("POST", COLLECTION + "/points/query/batch", "query", False),
    ("POST", COLLECTION + "/points/delete", "remove", True),
]


class QdrantStub:
    """The server; `collections` holds, by name, points {id: (vector, payload)}."""

    def __init__(self):
        self.collections, self.sizes, self.columns = {}, {}, {}
        self.requests, self.refused, self.keys = [], [], set()
        self.before = lambda action: None  # called before each request is answered
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, content = stub.answer(self.command, self.path, body, self.headers)
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = answer

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, body, headers):
        """Status and JSON of the response."""
        self.keys.add(headers.get("api-key"))
        place, _, options = path.partition("?")
        for verb, pattern, action, may_wait in ROUTES:
            match = re.fullmatch(pattern, place)
            if match and verb == method and options in ("", "wait=true" if may_wait else ""):
                self.requests.append(action)
                self.before(action)
                return self.act(action, match[1], body, waits=bool(options))
        return self.refuse(404, f"no such request: {method} {path}")

    def act(self, action, name, body, waits):
        content = json.loads(body) if body else None
        try:
            if action in SCHEMAS:
                schema = SCHEMAS[action] | {"$defs": {"condition": CONDITION}}
                jsonschema.validate(content, schema)
            if action != "create" and name not in self.collections:
                return self.refuse(404, f"Not found: Collection `{name}` doesn't exist!")
            result = getattr(self, action)(name, content)
        except (jsonschema.ValidationError, AssertionError) as error:
            return self.refuse(400, str(error))
        if action in ("column", "upsert", "remove"):
            result = {"operation_id": 0, "status": "completed" if waits else "acknowledged"}
        return 200, {"result": result, "status": "ok", "time": 0.0}

    def refuse(self, status, message):
        self.refused.append(message)
        return status, {"status": {"error": message}, "time": 0.0}

    def create(self, name, content):
        assert name not in self.collections, "the collection exists"
        assert content["vectors"]["distance"] == "Dot", "an index compares by inner product"
        self.collections[name], self.columns[name] = {}, {}
        self.sizes[name] = content["vectors"]["size"]
        return True

    def drop(self, name, content):
        del self.collections[name]
        return True

    def column(self, name, content):
        self.columns[name][content["field_name"]] = content["field_schema"]

    def upsert(self, name, content):
        batch = content["batch"]
        payloads = batch.get("payloads", [{}] * len(batch["ids"]))
        assert len(batch["ids"]) == len(batch["vectors"]) == len(payloads), "unequal lengths"
        assert all(len(vector) == self.sizes[name] for vector in batch["vectors"]), "wrong size"
        for item, vector, payload in zip(batch["ids"], batch["vectors"], payloads):
            self.collections[name][item] = np.array(vector, np.float32), payload

    def remove(self, name, content):
        for item in content["points"]:
            self.collections[name].pop(item, None)

    def retrieve(self, name, content):
        points = self.collections[name]
        found = [i for i in reversed(content["ids"]) if i in points]  # in no defined order
        return [{"id": i, "vector": points[i][0].tolist()} for i in found]

    def query(self, name, content):
        return [{"points": self.nearest(name, **search)} for search in content["searches"]]

    def nearest(self, name, query, limit, filter=None, params=None, **options):
        query = np.array(query["nearest"] if isinstance(query, dict) else query, np.float32)
        assert len(query) == self.sizes[name], "wrong size"
        points = self.collections[name]
        ids = [i for i in points if filter is None or self.passes(name, i, filter)]
        products = {i: float(points[i][0][::-1] @ query[::-1]) for i in ids}
        best = sorted(ids, key=lambda i: (-products[i], -i))[:limit]
        return [
            {"id": i, "version": 0, "score": products[i]}
            | ({"vector": points[i][0].tolist()} if options.get("with_vector") else {})
            for i in best
        ]

    def passes(self, name, item, condition):
        payload = self.collections[name][item][1]
        if "has_id" in condition:
            return item in set(condition["has_id"])
        if "key" in condition:
            assert condition["key"] in self.columns[name], "filtered by a column without index"
            return self.field_passes(payload[condition["key"]], condition)
        check = [self.passes(name, item, c) for c in condition.get("should", [])]
        return (
            all(self.passes(name, item, c) for c in condition.get("must", []))
            and not any(self.passes(name, item, c) for c in condition.get("must_not", []))
            and (not check or any(check))
        )

    @staticmethod
    def field_passes(value, condition):
        if "range" in condition:
            low, high = (condition["range"].get(bound) for bound in ("gte", "lte"))
            return (low is None or value >= low) and (high is None or value <= high)
        match = condition["match"]
        wanted = match["any"] if "any" in match else [match["value"]]
        return any(type(value) is type(one) and value == one for one in wanted)
