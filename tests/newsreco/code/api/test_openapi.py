"""Fuzzing: requests made from the OpenAPI document, valid and not, never break the contract."""

import schemathesis
from api_clients import KEY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FUZZ = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
# What an invalid request may be answered with; the tool leaves out 413 and 414.
REFUSED = ["400", "401", "403", "404", "409", "413", "414", "422"]
CHECKS = {"checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}}


def test_no_request_breaks_the_documented_contract(admin):
    config = schemathesis.config.SchemathesisConfig.from_dict(CHECKS)
    schema = schemathesis.openapi.from_asgi("/openapi.json", admin.app, config=config)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        cases = st.one_of(
            operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode
        )

        @FUZZ
        @given(case=cases)
        def check(case):
            case.call_and_validate(headers={"X-API-Key": KEY})

        check()
