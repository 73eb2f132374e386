"""What Schemathesis does not know of ream's requests and answers."""

import json
import zlib

import jsonschema_rs
import schemathesis

LINES = "application/jsonl"
PROBLEM = "application/problem+json"


def kind_of(response) -> str:
    """The kind of an answer's content, without parameters."""
    return response.headers.get("content-type", [""])[0].split(";")[0].strip()


@schemathesis.serializer(LINES)
def write_lines(ctx, value):
    """A body of JSON on each line has one line; or, where that is an event, a second one at times that is refused."""
    if isinstance(value, bytes):
        return value
    lines = [value]
    if isinstance(value, dict) and len(value) % 2 == 0:
        lines.append({**value, "id": None, "expect": 999})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Has a request that is meant to be taken leave out what does not go with the rest of it."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    query, path = case.query or {}, case.operation.path
    # It differs from request to request, and is the same in each run.
    is_odd = zlib.crc32(repr(query).encode()) % 2 == 1
    leave_out = []
    if path == "/events" and "live" in query:
        leave_out = ["atomic"]
    elif path.startswith("/streams") and case.method == "POST":
        leave_out = ["type", "id", "time", "metadata"] if case.media_type == LINES else ["atomic"]
    elif path == "/events":
        leave_out = ["from"]
    elif path == "/projections/{name}":
        leave_out = ["wait"] if "at-least" not in query else []
        if is_odd:
            case.headers["Accept"] = "text/csv"
    for name in leave_out:
        query.pop(name, None)
    if case.media_type == LINES and isinstance(case.body, dict):
        for name in ("data_base64", "state", "state_base64"):
            case.body.pop(name, None)
    if is_odd and path.startswith("/states"):
        for name in ("If-Match", "If-None-Match"):
            case.headers.pop(name, None)


@schemathesis.check
def a_success_has_what_is_described_and_nothing_else(ctx, response, case):
    """Where an answer has JSON on each line, the schema is that of a line; no object has more than its schema."""
    if response.status_code != 200 or not response.content:
        return
    described = case.operation.schema.raw_schema
    answer = described["paths"][case.operation.path][case.operation.method]["responses"]["200"]
    kind = kind_of(response)
    # A kind that is not described is another check's finding.
    schema = answer["content"].get(kind, {}).get("schema", {})
    if kind == LINES:
        assert response.content.endswith(b"\n"), "the last line has no end"
        values = response.content.split(b"\n")[:-1]
    elif kind == "application/json":
        values = [response.content]
    else:
        return
    whole = {**schema, "components": described["components"]}
    if "$ref" in schema:
        whole["unevaluatedProperties"] = False
    validator = jsonschema_rs.validator_for(whole)
    for value in values:
        for error in validator.iter_errors(json.loads(value)):
            raise AssertionError(f"{error.message}: {value.decode()}")


@schemathesis.check
def a_failure_is_a_problem(ctx, response, case):
    """What is no success is a problem, whose status is that of the answer; but for the health of the server."""
    if response.status_code < 400 or (case.operation.path, response.status_code) == ("/health", 503):
        return
    assert kind_of(response) == PROBLEM, f"{response.status_code} is no problem"
    problem = json.loads(response.content)
    assert problem["status"] == response.status_code, problem
    assert problem["type"].startswith("urn:ream:"), problem


@schemathesis.check
class EachRequestIsTaken:
    """Each request that is described was answered with success, at least once."""

    def __init__(self):
        self.asked, self.taken = set(), set()

    def after_response(self, ctx, response, case):
        self.asked.add(case.operation.label)
        if response.status_code < 300:
            self.taken.add(case.operation.label)

    def after_run(self, ctx):
        refused = sorted(self.asked - self.taken)
        assert not refused, f"only refused: {', '.join(refused)}"
