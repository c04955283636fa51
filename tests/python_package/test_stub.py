"""The stub of the compiled half says of each class, method and property what it says itself, for editors that read the stub alone.

With `PANTLER_WRITE_DOCS` in the environment the stub is written anew.
"""

import ast
import inspect
import os
import textwrap

from conftest import CHECKOUT

import pantler
from pantler import _pantler

STUB = CHECKOUT / "python" / "pantler" / "_pantler.pyi"


def summary(thing):
    """The first paragraph of a docstring."""
    return inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0]


def texts(tree):
    """What each public class, and each of its methods and properties, should say: the node of the stub, and the text."""
    for node in tree.body:
        cls = getattr(_pantler, getattr(node, "name", ""), None)
        # What is the engine's own has the names, and no readers.
        if not isinstance(node, ast.ClassDef) or getattr(pantler, node.name, None) is not cls:
            continue
        # What is inherited would be the text of another class.
        yield node, summary(cls)
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                found = inspect.getattr_static(cls, inner.name)
                text = summary(found) or summary(getattr(cls, inner.name))
                assert text, f"{node.name}.{inner.name} says nothing"
                yield inner, text


def with_docstrings(stub):
    lines = stub.split("\n")
    # From the end, so that the places of what is before stay.
    for node, text in sorted(texts(ast.parse(stub)), key=lambda found: -found[0].lineno):
        first = node.body[0]
        indent = " " * (node.col_offset + 4)
        said = textwrap.indent(f'"""{text}"""', indent).split("\n")
        if ast.get_docstring(node) is not None:
            lines[first.lineno - 1 : first.end_lineno] = said
        elif isinstance(node, ast.ClassDef):
            place = min([first.lineno, *(each.lineno for each in getattr(first, "decorator_list", []))])
            lines[place - 1 : place - 1] = said
        else:
            line = lines[first.lineno - 1]
            lines[first.lineno - 1 : first.lineno] = [line[: first.col_offset].rstrip(), *said]
    return "\n".join(lines)


def test_the_stub_says_what_the_module_says():
    stub = STUB.read_text(encoding="utf-8")
    documented = with_docstrings(stub)
    if "PANTLER_WRITE_DOCS" in os.environ:
        STUB.write_text(documented, encoding="utf-8")
        stub = documented
    assert stub == documented
