"""Holds every JSON answer of the real server to engine/api/openapi.yaml: the same small part of JSON Schema as
tests/unit/engine/api/json_schema.cpp. Without python3-yaml nothing is checked, and that is said once."""
import datetime
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
try:
    import yaml
    with open(os.path.join(ROOT, "engine", "api", "openapi.yaml"), encoding="utf-8") as file:
        DOCUMENT = yaml.safe_load(file)
except ImportError:
    print("python3-yaml is not there: answers are not held to openapi.yaml", file=sys.stderr)
    DOCUMENT = None

KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def fits_type(value, kind):
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


def is_time(text):
    try:
        datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        # Python 3.11 wants 3 or 6 digits of fraction; the server writes no others.
        return False
    return True


def resolve(schema):
    while "$ref" in schema:
        at = DOCUMENT
        for part in schema["$ref"][2:].split("/"):
            at = at[part]
        schema = at
    return schema


def why_not(value, schema, where="$"):
    """Where and why a value does not fit; None if it does."""
    schema = resolve(schema)
    for one in schema.get("allOf", []):
        if why := why_not(value, one, where):
            return why
    if "anyOf" in schema:
        reasons = [why_not(value, one, where) for one in schema["anyOf"]]
        if all(reasons):
            return reasons[0]
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(fits_type(value, kind) for kind in kinds):
            return f"{where}: {str(value)[:80]!r} is not {kinds}"
    if "enum" in schema and value is not None and value not in schema["enum"]:
        return f"{where}: {value!r} is not one of {schema['enum']}"
    if schema.get("format") == "date-time" and isinstance(value, str) and not is_time(value):
        return f"{where}: {value!r} is not a time"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                return f"{where}.{name}: is missing"
        for name, inner in schema.get("properties", {}).items():
            if name in value and (why := why_not(value[name], inner, f"{where}.{name}")):
                return why
    if isinstance(value, list) and "items" in schema:
        for index, element in enumerate(value):
            if why := why_not(element, schema["items"], f"{where}[{index}]"):
                return why
    return None


def operation_of(method, path):
    path = path.split("?")[0]
    best = None
    for template, operations in DOCUMENT["paths"].items():
        pattern = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in template.split("/"))
        if re.fullmatch(pattern, path) and method.lower() in operations:
            if best is None or template.count("{") < best[0]:
                best = (template.count("{"), operations[method.lower()])
    return best[1] if best else None


def check(method, path, status, value):
    """Raises AssertionError if a JSON answer is not what the document promises."""
    if DOCUMENT is None or value is None or status in (304, 404, 405):
        return
    operation = operation_of(method, path)
    assert operation is not None, f"{method} {path} is not in openapi.yaml"
    responses = operation["responses"]
    response = resolve(responses.get(str(status)) or responses.get("default"))
    for kind, content in response.get("content", {}).items():
        if "json" in kind:
            why = why_not(value, content["schema"])
            assert why is None, f"{method} {path} {status}: {why}"
