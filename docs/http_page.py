"The API's description as one page: every address with its parameters, body and answer, then every object."

import json
from pathlib import Path
from typing import Any

TAGS = {
    "figures": "Figures",
    "reviews": "Reviews",
    "segments": "Segments",
    "themes": "Themes",
    "places": "Maps and places",
    "model": "Predictions",
    "jobs": "Jobs: many texts",
    "labels": "Labels",
    "reports": "Reports",
    "operation": "Operation",
}
LIMITS = {
    "minLength": "at least {} characters", "maxLength": "at most {} characters", "minItems": "at least {}",
    "maxItems": "at most {}", "minimum": "from {}", "maximum": "to {}", "exclusiveMinimum": "over {}",
    "exclusiveMaximum": "under {}",
}  # fmt: skip


def type_of(schema: dict[str, Any]) -> str:
    "Name a type in a few words; objects link to their own section."
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#object-{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(type_of(s) for s in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{v}`" for v in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    return schema.get("format") or schema.get("type", "any")


def limits_of(schema: dict[str, Any]) -> str:
    "What a value must keep to, as the description says it."
    limits = {k: v for s in (schema, *schema.get("anyOf", [])) for k, v in s.items() if k in LIMITS}
    return ", ".join(LIMITS[k].format(v) for k, v in limits.items())


def cell(*parts: object) -> str:
    "Text of a table's cell."
    return "; ".join(str(p) for p in parts if p not in ("", None)).replace("|", "\\|").replace("\n", " ")


def parameter_rows(parameters: list[dict[str, Any]]) -> list[str]:
    "A table of parameters; empty where there are none."
    rows = []
    for p in parameters:
        schema = p["schema"]
        example = next(iter(schema.get("examples", [])), schema.get("default"))
        kind, meaning = (
            cell(type_of(schema).removesuffix(" or null")),
            cell(p.get("description", ""), limits_of(schema)),
        )
        rows.append(
            f"| `{p['name']}`{' (needed)' if p.get('required') else ''} | {kind} | {meaning} "
            f"| {f'`{example}`' if example is not None else ''} |"
        )
    return ["| Parameter | Type | Meaning | Example |", "|---|---|---|---|", *rows, ""] if rows else []


def operation(method: str, path: str, about: dict[str, Any]) -> list[str]:
    "One address: what it does, what it takes, what it answers."
    out = [f"### `{method.upper()} {path}`", "", f"{about.get('summary', '')}.", "", about.get("description", ""), ""]
    out += parameter_rows(about.get("parameters", []))
    for kind, content in about.get("requestBody", {}).get("content", {}).items():
        out += [f"Body: {type_of(content.get('schema', {}))} (`{kind}`).", ""]
    for code, answer in about["responses"].items():
        kinds = answer.get("content", {})
        if code.startswith("2"):
            schemas = [type_of(c["schema"]) for c in kinds.values() if c.get("schema")]
            out += [f"Answer {code}: {', '.join(schemas) or answer['description']}.", ""]
    refusals = [code for code in about["responses"] if code[0] in "45"]
    return out + ([f"Refusals: {', '.join(refusals)} ([Problem](#object-problem))."] if refusals else []) + [""]


def schema_section(name: str, schema: dict[str, Any]) -> list[str]:
    "One object: its fields, and an example where there is one."
    needed = schema.get("required", [])
    rows = [
        f"| `{f}`{' (always)' if f in needed else ''} | {cell(type_of(s))} "
        f"| {cell(s.get('description', ''), limits_of(s))} |"
        for f, s in schema.get("properties", {}).items()
    ]
    out = [f"(object-{name.lower()})=", f"### {name}", "", schema.get("description", ""), ""]
    out += ["| Field | Type | Meaning |", "|---|---|---|", *rows, ""] if rows else []
    for example in schema.get("examples", [])[:1]:
        out += ["```json", json.dumps(example, indent=2, ensure_ascii=False), "```", ""]
    return out


def write_http(description: Path, out: Path) -> None:
    "Write the page; `openapi.json` itself lies at the root of the site."
    api = json.loads(description.read_text(encoding="utf-8"))
    shared = {f"#/components/parameters/{k}": v for k, v in api["components"].get("parameters", {}).items()}
    calls = [(m, p, o) for p, methods in api["paths"].items() for m, o in methods.items()]
    for *_, about in calls:
        about["parameters"] = [shared.get(q.get("$ref"), q) for q in about.get("parameters", [])]
    text = [
        "# HTTP API",
        "",
        "*For developers: every address of the server, from the description it serves itself "
        "(<a href='../openapi.json'>openapi.json</a>, for generators of clients). "
        "[How to call it](/how_to/api.md): first answer, keys, limits.*",
        "",
        api["info"]["description"],
        "",
    ]
    for tag, title in TAGS.items():
        text += [f"## {title}", ""]
        for method, path, about in calls:
            if about.get("tags", ["operation"])[0] == tag:
                text += operation(method, path, about)
    text += ["## Objects", ""]
    for name, schema in sorted(api["components"]["schemas"].items()):
        text += schema_section(name, schema)
    out.write_text("\n".join(text) + "\n", encoding="utf-8")
