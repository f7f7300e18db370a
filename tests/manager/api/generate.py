"""A client in JavaScript, made from an OpenAPI document alone: one method an operation, named by its id."""

import json
from typing import Any

_HEAD = """export class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

export class Client {
  constructor(url, token) { this.url = url; this.token = token; }

  async send(method, path, query, body, headers) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(name, one);
    }
    const sent = { ...headers };
    if (body !== undefined) sent['content-type'] = 'application/json';
    if (this.token) sent.authorization = `Bearer ${this.token}`;
    const response = await fetch(`${this.url}${path}?${search}`, {
      method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const found = text ? JSON.parse(text) : undefined;
    if (!response.ok) throw new Refused(response.status, found ? found.message : text);
    return found;
  }
"""


def javascript(document: dict[str, Any]) -> str:
    """The module: `new Client(url).startWorkflow({body: …})`."""
    methods = [
        _method(method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return _HEAD + "".join(methods) + "}\n"


def _method(method: str, path: str, operation: dict[str, Any]) -> str:
    given = operation.get("parameters", [])

    def named(place: str) -> list[str]:
        return [one["name"] for one in given if one["in"] == place]

    for name in named("path"):
        path = path.replace(f"{{{name}}}", f"${{encodeURIComponent(given[{json.dumps(name)}])}}")
    query = ", ".join(f"{json.dumps(name)}: given[{json.dumps(name)}]" for name in named("query"))
    headers = ", ".join(
        f"...(given[{json.dumps(name)}] ? {{{json.dumps(name)}: given[{json.dumps(name)}]}} : {{}})"
        for name in named("header")
    )
    body = "given.body" if "requestBody" in operation else "undefined"
    return (
        f"\n  /** {operation.get('description', '').splitlines()[0]} */\n"
        f"  {operation['operationId']}(given = {{}}) {{\n"
        f"    return this.send('{method.upper()}', `{path}`, {{ {query} }}, {body}, {{ {headers} }});\n  }}\n"
    )
