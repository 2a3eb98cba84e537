"""``Any`` in a signature switches the type checker off for whatever goes through it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: The largest number that is allowed. The remaining ones are values that an application gets, and libraries without
#: types; a value of unknown type is an ``object``, and code that needs a few members of another class names a protocol.
MOST = 100


def loose(source: str) -> Iterator[int]:
    """The line of each ``Any`` that is a whole annotation of a parameter or a result; ``**values: Any`` may be."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args
            named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            for annotation in (*(each.annotation for each in named), node.returns):
                if isinstance(annotation, ast.Name) and annotation.id == "Any":
                    yield annotation.lineno


def nodes(directory: str, word: str) -> Iterator[tuple[str, ast.AST]]:
    """The syntax of the files below a directory that have a word: the file's path, and a node."""
    for path in sorted((ROOT / directory).rglob("*.py")):
        text = path.read_text("utf-8")
        if word in text:
            yield from ((str(path.relative_to(ROOT)), node) for node in ast.walk(ast.parse(text)))


def test_what_counts_is_an_annotation_that_says_nothing() -> None:
    assert list(loose("def f(a: Any, b: list[Any], *c: Any, **d: Any) -> Any: ...")) == [1, 1]
    assert list(loose("class A:\n    x: Any\n    def f(self, a: int) -> Any | None: ...")) == []


def test_few_signatures_say_nothing() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "catalina").rglob("*.py"))
        if "Any" in (text := path.read_text("utf-8"))
        for line in loose(text)
    ]
    assert len(found) <= MOST, "\n".join(found)


def test_whether_an_attribute_was_given_is_asked_of_the_component() -> None:
    """``vars()`` has a value that nobody gave as soon as a component has settled its attributes."""
    asked = [
        f"{path}:{node.lineno}"
        for path, node in nodes("catalina", "vars(self)")
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops)
        and any(isinstance(each, ast.Call) and ast.unparse(each) == "vars(self)" for each in node.comparators)
    ]
    assert asked == []


#: The attributes that ``getattr`` may ask for with a default, by the reason why an object may lack them. An object of
#: ours has what its class declares; a default would hide for ever that the attribute has another name now.
MAY_BE_MISSING = {
    "Python's own objects and those of the standard library": """
        SETTINGS_MODULE __annotations__ __code__ __del__ __file__ __func__ __name__ __package__ __path__ __self__
        __setstate__ __spec__ _cleanups close get_code ipv4_mapped keeps_lines loader pattern""",
    "objects of applications and of libraries": """
        _max_overflow _session_cache attributes catalina close_servlet get_property key_size name no_cache roles
        session start_servlet url user_principal""",
    "a listener has the methods that it wants to hear": """
        context_destroyed context_initialized hears_strangers heartbeat""",
    "a <Deployer> may be of any class": "is_started",
    "a component says how its bean looks, if it does not look like every bean": """
        bean_class bean_fixed bean_hidden bean_interfaces bean_names bean_notifications bean_records
        bean_takes_properties bean_types""",
    "a lower floor meets an object of a higher one whose class it cannot name": """
        application_context context entries global_naming_resources manager mbeans protocol_handler service
        state_progress type will_close""",
    "a value of a stream may be of any class": "class_name",
    "a note on a thread or a socket, which not everyone has": "_catalina_space sni_name space",
}


def test_no_default_hides_that_an_attribute_of_ours_has_another_name() -> None:
    allowed = {name for names in MAY_BE_MISSING.values() for name in names.split()}
    asked = {
        node.args[1].value: f"{path}:{node.lineno}"
        for path, node in nodes("catalina", "getattr(")
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr" and len(node.args) == 3
        and isinstance(node.args[1], ast.Constant)
    }  # fmt: skip
    assert {name: place for name, place in asked.items() if name not in allowed} == {}
    assert sorted(allowed - set(asked)) == []


#: The largest number of fakes that stand for nothing in particular; ``stand_in`` knows the class.
MOST_UNKNOWN_FAKES = 4


def test_few_fakes_stand_for_nothing_in_particular() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, node in nodes("tests", "SimpleNamespace")
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "SimpleNamespace"
    ]
    assert len(found) <= MOST_UNKNOWN_FAKES, "\n".join(found)
