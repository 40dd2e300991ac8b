"""What pdoc shows by default and a reader has no use for is taken out; what it can't know is put in."""

import ast
import importlib
import inspect
import re
from collections.abc import Mapping

import msgspec
from pdoc import doc
from pdoc.render_helpers import relative_link

_NAMES = r"[a-z_]\w*(?:, [a-z_]\w*)*"


def plain_markdown(text: str) -> str:
    """The house's docstrings as Markdown: no `::` before a marble, and fields that a paragraph explains as a list."""
    text = re.sub(r"^ *::\n", "", text, flags=re.MULTILINE)
    return "\n\n".join(_listed(paragraph) for paragraph in text.split("\n\n"))


def _listed(paragraph: str) -> str:
    if not re.match(rf"{_NAMES}: ", paragraph):
        return paragraph
    joined, _, raises = " ".join(paragraph.split()).partition(" Raises ")
    entries = re.split(rf"(?<=[.)]) (?={_NAMES}: )", joined)
    items = [re.sub(rf"^({_NAMES}): ", r"- **\1:** ", entry) for entry in entries]
    return "\n".join(items) + (f"\n\nRaises {raises}" if raises else "")


def linked(text: str, page: doc.Module, pages: Mapping[str, doc.Module]) -> str:
    """Names in backticks that another page explains, as links to it; pdoc itself links those of the same page."""

    def link(found: re.Match[str]) -> str:
        name = found[1]
        there = [] if page.get(name) else [path for path, each in pages.items() if each.get(name.removesuffix("()"))]
        if not there:
            return found[0]
        return f"[`{name}`]({relative_link(page.modulename, min(there, key=len))}#{name.removesuffix('()')})"

    # a word of small letters alone is as often a parameter
    return re.sub(r"(?<![`\w\[])`([A-Z]\w+|[a-z]+_\w+(?:\(\))?)`(?!`)", link, text)


def tidy(pages: Mapping[str, doc.Module]) -> None:
    """Change the pages in place."""
    for name, page in pages.items():
        page.submodules = [below for path, below in pages.items() if _above(path, pages) == name]
        for each in page.members.values():
            if isinstance(each, doc.Class):
                _class(each)
            elif isinstance(each, doc.Variable) and not each.docstring:
                each.docstring = _said_elsewhere(page, each.name)


def _above(path: str, pages: Mapping[str, doc.Module]) -> str:
    """The nearest page above, past folders that have none."""
    above = path.rpartition(".")[0]
    return above if above in pages or not above else _above(above, pages)


def _class(shown: doc.Class) -> None:
    kind, members = shown.obj, shown.members
    shown.bases = [base for base in shown.bases if not base[1].startswith("_")]
    record = issubclass(kind, msgspec.Struct) or hasattr(kind, "_fields")
    if getattr(kind, "_is_protocol", False):
        members.pop("__init__", None)
    if issubclass(kind, msgspec.Struct):
        _defaults(shown)
    for name, member in list(members.items()):
        if member.taken_from[1].startswith("_"):  # of a private base, which has no place of its own
            member.taken_from = (shown.taken_from[0], f"{shown.qualname}.{name}")
        if isinstance(member, doc.Variable) and member.docstring.startswith("Alias for field number"):
            member.docstring = ""
        if name == "__call__" and member.docstring:
            member.docstring += "\n\n@public"  # pdoc's own sign, which it does not show
        if name == "__init__" and member.docstring.startswith("Create new instance of"):
            member.docstring = ""
        if isinstance(member, doc.Variable) and not member.docstring and not record:
            del members[name]  # the text of the class says what it is


def _defaults(shown: doc.Class) -> None:
    for field in msgspec.structs.fields(shown.obj):
        if field.default is not msgspec.NODEFAULT:
            shown.members[field.name].default_value = field.default
        elif field.default_factory is not msgspec.NODEFAULT:
            shown.members[field.name].default_value = field.default_factory()


def _said_elsewhere(page: doc.Module, name: str) -> str:
    """The text of a variable that the page's module hands on from another."""
    for node in ast.parse(inspect.getsource(page.obj)).body:
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            found = importlib.import_module("." * node.level + (node.module or ""), page.obj.__package__)
            there = doc.Module(found).members.get(name)
            return there.docstring if there is not None else ""
    return ""
