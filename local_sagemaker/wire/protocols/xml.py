"""XML documents from values and back, as the model's xml traits say (Smithy, "XML bindings")."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.shapes import Shape, from_text, to_text

_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f]')
_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def escape(text: str) -> str:
    """Text for XML. Control characters go as references, as S3 sends them, though XML 1.0 has no form for them."""
    return _SPECIAL.sub(lambda match: _NAMES.get(match[0]) or f"&#{ord(match[0])};", text)


def read(shape: Shape, body: bytes) -> Any:
    """The value of an XML document. Raises S3's MalformedXML."""
    try:
        return _value(shape, ElementTree.fromstring(body))
    except ElementTree.ParseError as error:
        raise malformed() from error


def malformed() -> ServiceError:
    """S3's error for a document that it can't read."""
    return ServiceError(
        "The XML you provided was not well-formed or did not validate against our published schema",
        code="MalformedXML",
        status=400,
    )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _value(shape: Shape, node: ElementTree.Element) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, node)
    if kind == "list":
        return [_value(shape.member, item) for item in node]
    if kind == "map":
        return _map(shape, list(node))
    return from_text(shape, node.text or "")


def _map(shape: Shape, entries: list[ElementTree.Element]) -> dict[str, Any]:
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    found = {}
    for entry in entries:
        parts = {_local(part.tag): part for part in entry}
        if key in parts and value in parts:
            found[parts[key].text or ""] = _value(shape.value, parts[value])
    return found


def _structure(shape: Shape, node: ElementTree.Element) -> dict[str, Any]:
    children: dict[str, list[ElementTree.Element]] = {}
    for child in node:
        children.setdefault(_local(child.tag), []).append(child)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        tag = _tag(name, member)
        if member.serialization.get("xmlAttribute"):
            attributes = {_local(key): value for key, value in node.attrib.items()}
            if tag.rpartition(":")[2] in attributes:
                found[name] = from_text(member, attributes[tag.rpartition(":")[2]])
        elif tag in children:
            flattened = member.serialization.get("flattened")
            if flattened and member.type_name == "list":
                found[name] = [_value(member.member, item) for item in children[tag]]
            elif flattened and member.type_name == "map":
                found[name] = _map(member, children[tag])
            else:
                found[name] = _value(member, children[tag][0])
    return found


def _tag(name: str, member: Shape) -> str:
    """The element of a structure's member; a flattened list's items may carry a name of their own."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        own = member.member.serialization.get("name")
        if own:
            return str(own)
    return str(member.serialization.get("name", name))


def write(shape: Shape, value: Any, tag: str, namespace: str = "") -> bytes:
    """A document whose root is `tag`."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(shape, value, tag, parts, f' xmlns="{namespace}"' if namespace else "")
    return "".join(parts).encode("utf-8", "surrogatepass")


def _write(shape: Shape, value: Any, tag: str, parts: list[str], attributes: str = "") -> None:
    kind = shape.type_name
    if kind == "structure":
        _write_structure(shape, value, tag, parts, attributes)
    elif kind == "list":
        parts.append(f"<{tag}{attributes}>")
        _write_items(shape, value, shape.member.serialization.get("name", "member"), parts)
        parts.append(f"</{tag}>")
    elif kind == "map":
        parts.append(f"<{tag}{attributes}>")
        _write_entries(shape, value, "entry", parts)
        parts.append(f"</{tag}>")
    else:
        text = value if kind == "string" and isinstance(value, str) else to_text(shape, value, "iso8601")
        parts.append(f"<{tag}{attributes}>{escape(text)}</{tag}>")


def _write_items(shape: Shape, values: Any, tag: str, parts: list[str]) -> None:
    for item in values:
        _write(shape.member, item, tag, parts)


def _write_entries(shape: Shape, values: dict[str, Any], tag: str, parts: list[str]) -> None:
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    for name, item in values.items():
        parts.append(f"<{tag}>")
        _write(shape.key, name, key, parts)
        _write(shape.value, item, value, parts)
        parts.append(f"</{tag}>")


def _write_structure(shape: Shape, value: dict[str, Any], tag: str, parts: list[str], attributes: str = "") -> None:
    space = shape.serialization.get("xmlNamespace")
    if isinstance(space, dict) and space.get("prefix"):
        attributes += f' xmlns:{space["prefix"]}="{space["uri"]}"'
    inner: list[str] = []
    for name, member in shape.members.items():
        given = value.get(name)
        serialization = member.serialization
        if given is None or "location" in serialization:
            continue
        if serialization.get("xmlAttribute"):
            attributes += f' {serialization.get("name", name)}="{escape(str(given))}"'
        elif serialization.get("flattened") and member.type_name == "list":
            _write_items(member, given, _tag(name, member), inner)
        elif serialization.get("flattened") and member.type_name == "map":
            _write_entries(member, given, _tag(name, member), inner)
        else:
            _write(member, given, _tag(name, member), inner)
    parts.append(f"<{tag}{attributes}>")
    parts.extend(inner)
    parts.append(f"</{tag}>")
