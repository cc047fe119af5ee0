"""XML documents from values and back, as the model's xml traits say (Smithy, "XML bindings")."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from local_sagemaker.api.scalars import Shape, from_text, to_text
from local_sagemaker.errors import MalformedXML

_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f]')
_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def escape(text: str) -> str:
    """Text for XML. Control characters go as references, as S3 sends them, though XML 1.0 has no form for them."""
    return _SPECIAL.sub(lambda match: _NAMES.get(match[0]) or f"&#{ord(match[0])};", text)


def read(shape: Shape, body: bytes) -> Any:
    """The value of an XML document. Raises S3's MalformedXML."""
    try:
        text = body.decode("utf-8-sig")
        if "<!DOCTYPE" in text:  # entities could make a small document huge
            raise MalformedXML()
        return _value(shape, ElementTree.fromstring(text))
    except (ElementTree.ParseError, ValueError) as error:
        raise MalformedXML() from error


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
    mapping = {}
    for entry in entries:
        parts = {_local(part.tag): part for part in entry}
        if key in parts and value in parts:
            mapping[parts[key].text or ""] = _value(shape.value, parts[value])
    return mapping


def _structure(shape: Shape, node: ElementTree.Element) -> dict[str, Any]:
    children: dict[str, list[ElementTree.Element]] = {}
    for child in node:
        children.setdefault(_local(child.tag), []).append(child)
    members: dict[str, Any] = {}
    for name, member in shape.members.items():
        tag = _tag(name, member)
        if member.serialization.get("xmlAttribute"):
            attributes = {_local(key): value for key, value in node.attrib.items()}
            if tag.rpartition(":")[2] in attributes:
                members[name] = from_text(member, attributes[tag.rpartition(":")[2]])
        elif tag in children:
            flattened = member.serialization.get("flattened")
            if flattened and member.type_name == "list":
                members[name] = [_value(member.member, item) for item in children[tag]]
            elif flattened and member.type_name == "map":
                members[name] = _map(member, children[tag])
            else:
                members[name] = _value(member, children[tag][0])
    return members


def _tag(name: str, member: Shape) -> str:
    """The element of a structure's member; a flattened list's items may carry a name of their own."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        own = member.member.serialization.get("name")
        if own:
            return str(own)
    return str(member.serialization.get("name", name))


@dataclass(frozen=True)
class _XmlMember:
    """How one member of a structure is written; worked out once per shape, since listings have thousands."""

    name: str
    tag: str
    shape: Shape
    attribute: bool
    flattened: bool
    scalar: Callable[[Any], str] | None


@lru_cache(maxsize=4096)
def _members(shape: Shape) -> tuple[_XmlMember, ...]:
    return tuple(
        _XmlMember(
            name,
            _tag(name, member),
            member,
            bool(member.serialization.get("xmlAttribute")),
            bool(member.serialization.get("flattened")),
            _scalar(member),
        )
        for name, member in shape.members.items()
        if "location" not in member.serialization
    )


def _scalar(shape: Shape) -> Callable[[Any], str] | None:
    """What makes XML text of a scalar; None for structures, lists and maps."""
    kind = shape.type_name
    if kind in ("structure", "list", "map"):
        return None
    if kind == "string":
        return lambda value: escape(str(value))
    return lambda value: to_text(shape, value, "iso8601")


def write(shape: Shape, value: Any, tag: str, namespace: str = "") -> bytes:
    """A document whose root is `tag`."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(shape, value, tag, parts, f' xmlns="{namespace}"' if namespace else "")
    return "".join(parts).encode("utf-8", "replace")


def write_members(shape: Shape, value: dict[str, Any], tag: str) -> str:
    """A structure as one element, to be put into a document."""
    parts: list[str] = []
    _write_structure(shape, value, tag, parts)
    return "".join(parts)


def _write(shape: Shape, value: Any, tag: str, parts: list[str], attributes: str = "") -> None:
    kind = shape.type_name
    if kind == "structure":
        _write_structure(shape, value, tag, parts, attributes)
        return
    parts.append(f"<{tag}{attributes}>")
    if kind == "list":
        _write_items(shape, value, shape.member.serialization.get("name", "member"), parts)
    elif kind == "map":
        _write_entries(shape, value, "entry", parts)
    else:
        scalar = _scalar(shape)
        parts.append(scalar(value) if scalar else "")
    parts.append(f"</{tag}>")


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
    start = len(parts)
    parts.append("")
    for member in _members(shape):
        item = value.get(member.name)
        if item is None:
            continue
        if member.attribute:
            attributes += f' {member.tag}="{escape(str(item))}"'
        elif member.scalar:
            parts.append(f"<{member.tag}>{member.scalar(item)}</{member.tag}>")
        elif not member.flattened:
            _write(member.shape, item, member.tag, parts)
        elif member.shape.type_name == "list":
            _write_items(member.shape, item, member.tag, parts)
        else:
            _write_entries(member.shape, item, member.tag, parts)
    parts[start] = f"<{tag}{attributes}>"
    parts.append(f"</{tag}>")
