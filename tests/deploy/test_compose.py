"""The compose file, checked without Docker: its schema, and what must hold between its services."""

import json
import re
import subprocess
from importlib.resources import files

import jsonschema
import pytest
import yaml

from execute import ROOT
from newsreco.config import Config

DEPLOY = ROOT / "capstone" / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
SECRETS = ("NEWSRECO_API_KEY", "POSTGRES_PASSWORD")


def schema():
    """The Compose Specification's own, which check-jsonschema brings."""
    vendor = files("check_jsonschema.builtin_schemas.vendor")
    return json.loads(vendor.joinpath("compose-spec.json").read_text())


def example():
    """The settings of .env.example."""
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def test_file_fits_the_compose_schema():
    jsonschema.validate(COMPOSE, schema())


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [("api", "port", ["8000:8000"]), ("postgres", "healthcheck", {"tests": []})],
)
def test_schema_refuses_what_compose_does_not_know(service, key, value):
    wrong = COMPOSE | {"services": SERVICES | {service: SERVICES[service] | {key: value}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema())


def test_there_are_three_services_an_optional_one_and_all_volumes_are_declared():
    assert set(SERVICES) == {"api", "mlflow", "postgres", "qdrant"}
    assert {n: s["profiles"] for n, s in SERVICES.items() if "profiles" in s} == {
        "qdrant": ["qdrant"]
    }
    mounts = [one.split(":") for service in SERVICES.values() for one in service["volumes"]]
    named = {source for source, *_ in mounts if source[0] != "."}
    assert named == set(COMPOSE["volumes"])
    assert all((DEPLOY / source).is_file() for source, *_ in mounts if source[0] == ".")


def test_who_needs_a_service_waits_until_it_is_healthy():
    needed = {name: set(service.get("depends_on", ())) for name, service in SERVICES.items()}
    nothing = {"postgres": set(), "qdrant": set()}
    assert needed == {"api": {"postgres", "mlflow"}, "mlflow": {"postgres"}} | nothing
    conditions = [one for s in SERVICES.values() for one in s.get("depends_on", {}).values()]
    assert all(one == {"condition": "service_healthy"} for one in conditions)
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert "HEALTHCHECK" in dockerfile and "healthcheck" not in SERVICES["api"]
    assert all(SERVICES[name]["healthcheck"]["test"] for name in ("mlflow", "postgres", "qdrant"))


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_required_and_have_no_default(name):
    uses = re.findall(rf"\$\{{{name}[^}}]*\}}", TEXT)
    assert uses and set(uses) == {f"${{{name}:?set it in .env}}"}
    assert example()[name] == ""


def test_every_variable_is_in_the_example_and_every_example_is_used():
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == set(example())


def test_api_is_given_settings_that_exist():
    known = {f"NEWSRECO_{name.upper()}" for name in Config.model_fields}
    known |= {"MLFLOW_TRACKING_URI", "ANTHROPIC_API_KEY"}
    given = SERVICES["api"]["environment"]
    assert set(given) <= known and "NEWSRECO_API_KEY" in given


def test_addresses_name_services_and_their_databases():
    api, mlflow = (SERVICES[name]["environment"] for name in ("api", "mlflow"))
    postgres = SERVICES["postgres"]["environment"]
    user, database = postgres["POSTGRES_USER"], postgres["POSTGRES_DB"]
    assert api["NEWSRECO_EVENTS_URL"].startswith(f"postgresql://{user}:")
    assert api["NEWSRECO_EVENTS_URL"].endswith(f"@postgres/{database}")
    assert mlflow["MLFLOW_BACKEND_STORE_URI"].endswith("@postgres/mlflow")
    assert "CREATE DATABASE mlflow;" in (DEPLOY / "databases.sql").read_text()
    command = SERVICES["mlflow"]["command"]
    assert api["MLFLOW_TRACKING_URI"] == "http://mlflow:5000" and "--port=5000" in command
    assert any(one.startswith("--allowed-hosts=mlflow:5000,") for one in command)


def test_only_this_machine_reaches_the_ports_and_the_database_has_none():
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert ports["postgres"] == ports["qdrant"] == []
    assert all(port.startswith("127.0.0.1:") for some in ports.values() for port in some)


def test_services_gain_no_rights():
    for service in SERVICES.values():
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service.get("privileges") and not service.get("privileged")
    assert SERVICES["api"]["cap_drop"] == SERVICES["mlflow"]["cap_drop"] == ["ALL"]


def test_images_have_a_version():
    assert re.fullmatch(r"qdrant/qdrant:v\d+\.\d+\.\d+", SERVICES["qdrant"]["image"])
    assert re.fullmatch(r"postgres:\d+\.\d+-bookworm", SERVICES["postgres"]["image"])
    assert SERVICES["api"]["image"] == SERVICES["mlflow"]["image"] == "newsreco:local"
    build = SERVICES["api"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_git_ignores_the_settings_but_not_their_example():
    ignored = [
        subprocess.run(["git", "check-ignore", "-q", f"capstone/deploy/{name}"], cwd=ROOT)
        for name in (".env", ".env.example")
    ]
    if ignored[0].returncode == 128:
        pytest.skip("this is no git repository")
    assert [done.returncode for done in ignored] == [0, 1]
