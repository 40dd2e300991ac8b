"""What the docstring of a public name has to say, asked by rule: see `complaints`."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import msgspec

from tests.documents.public import public_modules, public_names

# What tells a number's unit or its range. A word here must not be one that a sentence has anyhow.
UNIT = re.compile(
    r"""\b(?: seconds? | bytes? | [KMG]iB | MHz | tokens? | watts? | cores? | pixels? | fractions? | shares? | units?
          | items? | how\ many | the\ number | as\ many | index | times\ as | any\ scale
          | (?:at\ (?:most|least)|above|below|from)\ \d[\d.]* | \d\ s ) \b | % | °C | \b0\.\.1\b""",
    re.VERBOSE | re.IGNORECASE,
)
# These raise for their callers; see operators/typing.py.
CHECKS = ("finite", "fraction", "functions", "not_negative", "positive", "scheduler_or_none", "wait", "whole")
NUMBER = re.compile(r"\b(?:int|float)\b")


def complaints(module: ModuleType) -> Iterator[str]:
    """What is missing in the texts of a module's public names, one line each.

    A name, and each public method of a class, has a docstring. Every parameter, and every field of a record, is named
    by it or by the class's; where it is a number, the sentence that names it tells a unit or a range. What raises
    errors says so.
    """
    if not (module.__doc__ or "").strip():
        yield f"{module.__name__}: no docstring"
    for name, value in public_names(module).items():
        where = f"{getattr(value, '__module__', module.__name__)}.{name}"
        if inspect.isclass(value):
            yield from _class(where, value)
        elif inspect.isroutine(value):
            yield from _function(where, value, "")


def _class(where: str, kind: type) -> Iterator[str]:
    text = _doc(kind) + "\n\n" + _doc(vars(kind).get("__init__"))
    if not _doc(kind):
        yield f"{where}: no docstring"
    yield from _parameters(where, _fields(kind), text)
    for name, member in vars(kind).items():
        function = _function_of(member)
        if function is None or (name.startswith("_") and name not in ("__init__", "__call__")):
            continue
        if name == "__init__" and getattr(kind, "_is_protocol", False):
            continue  # made by typing
        if name.startswith("nvml"):
            continue  # the library's own functions, played
        if name == "__init__":
            yield from _parameters(where, _asked(function), text)
            yield from _raising(where, function, text)
        elif isinstance(member, property):
            if not _doc(function):
                yield f"{where}.{name}: no docstring"
        else:
            yield from _function(f"{where}.{name}", function, f"{text}\n\n{_as_in(function)}")


def _function(where: str, function: Callable[..., Any], around: str) -> Iterator[str]:
    own = _doc(function)
    if not own:
        yield f"{where}: no docstring"
    yield from _parameters(where, _asked(function), f"{own}\n\n{around}")
    yield from _raising(where, function, own + _as_in(function))


def _as_in(function: Callable[..., Any]) -> str:
    """The text of the method of the same name that the docstring refers to: "As in `Host`", which the page links."""
    said = re.search(r"\b[Aa]s in `(\w+)`", _doc(function))
    kinds = [public_names(module).get(said[1]) for module in public_modules()] if said else []
    return next((_doc(vars(kind).get(function.__name__)) for kind in kinds if inspect.isclass(kind)), "")


def _parameters(where: str, annotations: dict[str, str], text: str) -> Iterator[str]:
    for name, annotation in annotations.items():
        said = [sentence for sentence in _sentences(text) if re.search(rf"(?<![\w.]){name}\b", sentence)]
        if not said:
            yield f"{where}: nothing names {name}"
        elif _is_number(annotation) and not any(UNIT.search(told) for told in [*said, _metadata(annotation)]):
            yield f"{where}: no unit or range of {name}"


def _raising(where: str, function: Callable[..., Any], text: str) -> Iterator[str]:
    if not re.search(r"\braises?\b", text, re.IGNORECASE) and (raised := sorted(_raised(function))):
        yield f"{where}: does not say that it raises {', '.join(raised)}"


def _raised(function: Callable[..., Any]) -> Iterator[str]:
    """The errors that the function's own body raises; not those of functions within, which raise later."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError):  # made by a library, as the methods of a NamedTuple are
        return
    found: set[str] = set()
    todo: list[ast.AST] = list(tree.body[0].body) if isinstance(tree.body[0], ast.FunctionDef) else []
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CHECKS:
            found.add("ValueError")
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found.add(ast.unparse(node.exc.func))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    yield from found


def _sentences(text: str) -> list[str]:
    """Sentences, and whole entries of lists; an example is none."""
    prose = re.sub(r"^ *>>>.*(?:\n *\S.*)*", "", text, flags=re.MULTILINE)
    entries = re.findall(r"^ {4}\w[\w, ]*: .*(?:\n {5,}.*)*", prose, flags=re.MULTILINE)
    paragraphs = re.split(r"\n\s*\n", re.sub(r"^(?: {4}.*\n?)+", "\n", prose, flags=re.MULTILINE))
    return entries + [
        sentence
        for text in paragraphs
        for sentence in re.split(r"(?<=\w[.?)])\s+|(?<=[`\w]\.)\s+", " ".join(text.split()))
    ]


def _asked(function: Callable[..., Any]) -> dict[str, str]:
    parameters = list(inspect.signature(function).parameters.values())
    return {
        p.name.lstrip("_"): p.annotation if isinstance(p.annotation, str) else inspect.formatannotation(p.annotation)
        for p in parameters
        if p.name not in ("self", "cls", "request") and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }


def _fields(kind: type) -> dict[str, str]:
    names: tuple[str, ...] = getattr(kind, "_fields", ())
    if issubclass(kind, msgspec.Struct):
        names = kind.__struct_fields__
    told = {n: a for base in reversed(kind.__mro__) for n, a in vars(base).get("__annotations__", {}).items()}
    return {n: a if isinstance(a, str) else inspect.formatannotation(a) for n in names if (a := told.get(n, ""))}


def _metadata(annotation: str) -> str:
    """What an Annotated type says besides the type."""
    return annotation.partition("Annotated[")[2]


def _is_number(annotation: str) -> bool:
    """A number or several, but not a function of them."""
    return "Callable" not in annotation and NUMBER.search(annotation) is not None


def _function_of(member: object) -> Callable[..., Any] | None:
    if isinstance(member, property):
        return member.fget
    if isinstance(member, classmethod | staticmethod):
        return member.__func__
    return member if inspect.isfunction(member) else None


def _doc(thing: object) -> str:
    text = getattr(thing, "__doc__", None)
    return inspect.cleandoc(text) if isinstance(text, str) else ""
