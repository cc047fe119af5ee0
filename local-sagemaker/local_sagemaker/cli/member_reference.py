"""The page ``docs/reference/members.md``: members of requests that are taken without effect, and refused ones.

Made of the tables of `api.members`; a test compares. Run ``make docs`` to write it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from local_sagemaker.api import members, models
from local_sagemaker.cli.reference import list_operations

HEAD = """# Members of requests that do not act

Made by `make docs` from the tables in `local_sagemaker/api/members/`, in which each member of each supported operation
stands; a test compares. A member that is not on this page acts as on AWS, or is recorded and shown where AWS does no
more. One that is refused is named in the response (NotImplemented, HTTP 501, unless AWS has words of its own), at
CreatePipeline too where it is in the arguments of a step. Members that a newer SDK knows and the tables don't are
refused as well. Names are those of the operations, or of the structures that the API references list.
"""
SECTIONS = {
    "kept": "Taken and shown, without effect",
    "refused": "Refused",
    "refused_by_operation": "Refused in the operation's own words",
}


def render() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for service in dict.fromkeys(name.partition(":")[0] for name in list_operations()):
        parts.append(f"## {models.model(service).metadata['serviceFullName']}\n")
        table, tops = members.table(service), _tops(service)
        for kind, title in SECTIONS.items():
            rows = [(support, name) for name, support in table.items() if support.kind == kind]
            if rows:
                parts.append(f"### {title}\n\n" + "\n".join(_lines(rows, tops)) + "\n")
    return "\n".join(parts)


def _lines(rows: list[tuple[members.Support, str]], tops: Mapping[str, str]) -> Iterator[str]:
    """One list item for each reason: its members, each with the operations or structures that have it."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for support, name in rows:
        shape, _, member = name.partition(".")
        owners = by_reason.setdefault(support.reason, {}).setdefault(_format_member(member, support), [])
        owners.append(tops.get(shape, shape))
    for reason, shown in by_reason.items():
        listed = "; ".join(f"{member} ({', '.join(of)})" for member, of in shown.items())
        yield f"- {reason.rstrip('.')}: {listed}."


def _format_member(member: str, support: members.Support) -> str:
    return f"`{member}`" + (f" other than {', '.join(map(str, support.allowed))}" if support.allowed else "")


def _tops(service: str) -> dict[str, str]:
    """The operations by the names of the structures that are their requests."""
    operations = {}
    for name in list_operations():
        owner, _, operation = name.partition(":")
        shape = models.operation(owner, operation).input_shape
        if owner == service and shape is not None:
            operations[shape.name] = operation
    return operations


if __name__ == "__main__":
    print(render(), end="")
