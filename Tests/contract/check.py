"""Holds the answers that the tests got against the contract.

    /usr/bin/python3 Tests/contract/check.py openapi.yaml exchanges.ndjson

Every exchange has to be one that the contract declares: operation, status, media type, body, and the request's body where
the server took it. Every example of the contract has to fit its own schema, and every operation has to have succeeded once.
Needs Debian's python3-yaml and python3-jsonschema.
"""

import json
import sys
from collections import Counter

import yaml
from jsonschema import Draft202012Validator, FormatChecker, RefResolver
from jsonschema.exceptions import best_match

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Keys whose value maps names that people chose, so that a field called `examples` is not taken for examples.
NAME_MAPS = ("paths", "properties", "schemas", "responses", "parameters", "headers", "content", "examples")


class Loader(yaml.SafeLoader):
    """JSON has no dates: what looks like one stays text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Contract:
    def __init__(self, document):
        self.document = document
        self.resolver = RefResolver("", document)
        self.operations = {
            (method.upper(), path): operation
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        }

    def resolved(self, node):
        """The node, or what its `$ref` names."""
        while isinstance(node, dict) and "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def fault(self, value, schema):
        """What is wrong with the value, in a line; None if nothing is."""
        validator = Draft202012Validator(schema, resolver=self.resolver, format_checker=FormatChecker())
        error = best_match(validator.iter_errors(value))
        return error and f"{error.json_path}: {shortened(error.message)}"


def shortened(text):
    return text if len(text) <= 300 else text[:200] + " … " + text[-90:]


def media_type(value):
    return (value or "").split(";")[0].strip().lower()


def is_json(media):
    return media == "application/json" or media.endswith("+json")


# --- Exchanges -------------------------------------------------------------------------------------------------------


def exchange_fault(contract, exchange):
    """What the contract does not allow in one exchange; None if it allows all of it."""
    method, status = exchange["method"], exchange["status"]
    if exchange["route"] not in contract.document["paths"]:
        return "the path is not in the contract"
    if method == "OPTIONS":
        return None if status == 204 and not exchange["body"] else "OPTIONS has to answer 204 without a body"
    operation = contract.operations.get(("GET" if method == "HEAD" else method, exchange["route"]))
    if operation is None:
        if status not in (405, 501):
            return "the method is not in the contract, so that the answer has to be 405 or 501"
        response = contract.document["components"]["responses"]["Problem"]
    elif str(status) in operation["responses"]:
        response = operation["responses"][str(status)]
    elif status >= 400 and "default" in operation["responses"]:
        response = operation["responses"]["default"]
    else:
        return "the status is not declared"
    return answer_fault(contract, exchange, contract.resolved(response)) or request_fault(contract, exchange, operation)


def answer_fault(contract, exchange, response):
    content, media, body = response.get("content"), media_type(exchange["content_type"]), exchange["body"]
    if not content:
        return "a body where none is declared" if body else None
    if media not in content:
        return f"the content type {media or '(none)'} is not declared; declared are {', '.join(content)}"
    # A stream is noted without its body.
    if body is None:
        return None
    return body_fault(contract, body, media, content[media], "body")


def request_fault(contract, exchange, operation):
    """A request that the server took has to be one that the contract allows; refused ones may be anything."""
    body = exchange["request_body"]
    if operation is None or body is None or exchange["status"] >= 300:
        return None
    content = contract.resolved(operation.get("requestBody", {})).get("content", {})
    media = media_type(exchange["request_content_type"])
    if media not in content:
        return f"the request's content type {media or '(none)'} was taken, but is not declared"
    return body_fault(contract, body, media, content[media], "request")


def body_fault(contract, text, media, declared, what):
    try:
        if is_json(media):
            fault = contract.fault(json.loads(text), declared["schema"])
            return fault and f"{what} {fault}"
        if "x-line-schema" in declared:
            for number, line in enumerate(text.splitlines(), 1):
                fault = contract.fault(json.loads(line), declared["x-line-schema"])
                if fault:
                    return f"{what} line {number} {fault}"
    except ValueError as error:
        return f"{what}: not JSON: {error}"
    return None


# --- Examples --------------------------------------------------------------------------------------------------------


def examples(node, place="#"):
    """Every example of the contract, with its schema and its place."""
    if isinstance(node, list):
        for index, element in enumerate(node):
            yield from examples(element, f"{place}/{index}")
        return
    if not isinstance(node, dict):
        return
    # Beside `schema` in a parameter, header or media type; inside the schema itself elsewhere.
    schema = node.get("schema", node)
    if "example" in node:
        yield node["example"], schema, f"{place}/example"
    given = node.get("examples")
    if isinstance(given, list):
        for index, value in enumerate(given):
            yield value, schema, f"{place}/examples/{index}"
    elif isinstance(given, dict) and "schema" in node:
        for name, value in given.items():
            yield value.get("value"), schema, f"{place}/examples/{name}"
    for key, value in node.items():
        if key in ("example", "examples"):
            continue
        if key in NAME_MAPS and isinstance(value, dict):
            for name, child in value.items():
                yield from examples(child, f"{place}/{key}/{name}")
        else:
            yield from examples(value, f"{place}/{key}")


# --- The run ---------------------------------------------------------------------------------------------------------


def main(contract_path, exchanges_path):
    with open(contract_path, encoding="utf-8") as file:
        contract = Contract(yaml.load(file, Loader))
    passed, failures, succeeded, count = 0, Counter(), set(), 0

    for value, schema, place in examples(contract.document):
        fault = contract.fault(value, schema)
        if fault:
            failures[f"{place}: {fault}"] += 1
        else:
            passed += 1

    with open(exchanges_path, encoding="utf-8") as file:
        for line in file:
            exchange = json.loads(line)
            # The control socket is no part of the contract: only `viecoop` itself speaks to it.
            if exchange["route"] is None or exchange["route"].startswith("/control/"):
                continue
            count += 1
            method, route, status = exchange["method"], exchange["route"], exchange["status"]
            fault = exchange_fault(contract, exchange)
            if fault:
                failures[f"{method} {route} -> {status}: {fault}"] += 1
            else:
                passed += 1
            if status < 300:
                succeeded.add(("GET" if method == "HEAD" else method, route))

    if count == 0:
        failures["there are no exchanges: the tests asked nothing, or VIECOOP_EXCHANGES was not set"] += 1
    else:
        for method, path in contract.operations:
            if (method, path) not in succeeded:
                failures[f"{method} {path}: no test made it succeed"] += 1

    for failure, times in failures.items():
        print(f"FAILED {failure}" + (f" ({times} times)" if times > 1 else ""))
    print(f"{passed} passed, {failures.total()} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print("usage: check.py openapi.yaml exchanges.ndjson", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1], sys.argv[2]))
