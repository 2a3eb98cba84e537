"""The rest of the meanings stands in tests/interop/test_jmx_java.py: beside a JVM, with a JVM's own queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.attributes import Attribute, Component
from catalina.errors import ProtocolError
from catalina.jmx.java_nodes import array, name_node, text, value_node
from catalina.jmx.query_expressions import Query
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.nodes import ClassData, JavaObject, Node, Primitive
from tests.support.work import assert_linear

NAME = ObjectName("d", {"type": "Pool"})


class Pool(Component):
    """A pool."""

    bean_interfaces = ("com.example.PoolMBean",)

    size = Attribute(int, 3, doc="How many.")
    password = Attribute(str, "secret", doc="A password.")
    reads = 0

    @property
    def label(self) -> str:
        self.reads += 1
        return "alpha"

    @property
    def broken(self) -> int:
        raise RuntimeError("no")


def made(kind: str, **fields: Node | Primitive) -> Node:
    desc = describe(f"javax.management.{kind}", 1)
    return JavaObject(desc, [ClassData(desc, dict(fields))])


def attr(name: str) -> Node:
    return made("AttributeValueExp", attr=text(name))


def number(value: float) -> Node:
    return made("NumericValueExp", val=value_node(value))


def words(value: str) -> Node:
    return made("StringValueExp", val=text(value))


def relation(code: int, left: Node, right: Node) -> Node:
    return made("BinaryRelQueryExp", relOp=code, exp1=left, exp2=right)


def selects(node: Node) -> bool:
    return Query(node).selects(NAME, ManagedBean(Pool(), NAME))


IS_THREE = relation(4, attr("size"), number(3))
IS_FOUR = relation(4, attr("size"), number(4))
UNKNOWN = relation(4, attr("nothing"), number(4))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (IS_THREE, True),
        (IS_FOUR, False),
        (relation(0, attr("size"), number(2)), True),
        (made("AndQueryExp", exp1=IS_THREE, exp2=IS_FOUR), False),
        (made("OrQueryExp", exp1=IS_THREE, exp2=IS_FOUR), True),
        (made("NotQueryExp", exp=IS_FOUR), True),
        (made("BetweenQueryExp", exp1=attr("size"), exp2=number(1), exp3=number(3)), True),
        (made("InQueryExp", val=attr("size"), valueList=array("[Ljava.lang.String;", [number(2), number(3)])), True),
        (made("InQueryExp", val=attr("size"), valueList=None), False),
        (made("MatchQueryExp", exp=attr("label"), pattern=text("a[k-m]*")), True),
        (made("InstanceOfQueryExp", classNameValue=words("com.example.PoolMBean")), True),
        (relation(4, made("ClassAttributeValueExp", attr=text("Class")), words("x")), False),
        (relation(4, made("BinaryOpValueExp", op=0, exp1=attr("size"), exp2=number(1)), number(4)), True),
        (name_node(ObjectName("d", {}, open_ended=True)), True),
        (name_node(ObjectName("e", {"type": "Pool"})), False),
    ],
)
def test_a_query_means_what_it_says(query: Node, expected: bool) -> None:
    assert selects(query) is expected


@pytest.mark.parametrize("query", [UNKNOWN, made("NotQueryExp", exp=UNKNOWN), relation(4, attr("broken"), number(1)),
                                   made("NotQueryExp", exp=relation(4, attr("size"), words("3")))])  # fmt: skip
def test_a_bean_that_a_query_cannot_be_evaluated_for_is_not_in_the_answer(query: Node) -> None:
    assert selects(query) is False


def test_a_query_learns_no_secret() -> None:
    guess = made("MatchQueryExp", exp=attr("password"), pattern=text("s*"))
    assert selects(guess) is False
    assert selects(made("NotQueryExp", exp=guess)) is True


def test_an_attribute_is_read_once_for_each_bean() -> None:
    pool = Pool()
    query = IS_FOUR
    for _ in range(50):
        query = made("OrQueryExp", exp1=query, exp2=relation(4, attr("label"), words("beta")))
    assert Query(query).selects(NAME, ManagedBean(pool, NAME)) is False
    assert pool.reads == 1


@pytest.mark.parametrize(
    "query",
    [
        None,
        text("x"),
        value_node(1),
        attr("size"),
        made("relation.RoleQueryExp"),
        made("AndQueryExp", exp1=IS_THREE),
        made("NotQueryExp", exp=3),
        relation(5, attr("size"), number(3)),
        relation(-1, attr("size"), number(3)),
        relation(4, IS_THREE, number(3)),
        relation(4, attr("size"), made("NumericValueExp", val=value_node(True))),
        relation(4, attr("size"), made("BooleanValueExp", val=3)),
        made("MatchQueryExp", exp=attr("label"), pattern=text("a" * 1001)),
        made("InQueryExp", val=attr("size"), valueList=text("x")),
    ],
)
def test_what_is_no_query_is_refused(query: Node) -> None:
    with pytest.raises(ProtocolError):
        Query(query)


def test_a_part_that_many_refer_to_costs_as_often_as_it_is_evaluated() -> None:
    query = IS_FOUR
    for _ in range(20):
        query = made("OrQueryExp", exp1=query, exp2=query)
    with pytest.raises(ProtocolError, match="1000 terms"):
        Query(query)


def test_nesting_has_a_limit() -> None:
    query = IS_FOUR
    for _ in range(130):
        query = made("NotQueryExp", exp=query)
    with pytest.raises(ProtocolError, match="nested deeper"):
        Query(query)


def test_the_work_for_a_pattern_grows_with_the_text() -> None:
    def make(size: int) -> object:
        query = Query(made("MatchQueryExp", exp=words("a" * size), pattern=text("*a*a*a*a*a*b")))
        bean = ManagedBean(Pool(), NAME)
        return lambda: query.selects(NAME, bean)

    assert_linear(make, 500)  # type: ignore[arg-type]  # a function


KINDS = ("AndQueryExp", "NotQueryExp", "BinaryRelQueryExp", "InQueryExp", "MatchQueryExp", "InstanceOfQueryExp",
         "BinaryOpValueExp", "AttributeValueExp", "StringValueExp", "NumericValueExp", "BooleanValueExp")  # fmt: skip
FIELDS = ("exp", "exp1", "exp2", "exp3", "relOp", "op", "val", "attr", "pattern", "classNameValue", "valueList")
LEAVES = st.sampled_from((None, 0, 4, True, text("size"), value_node(3), value_node(0.5), attr("size"), number(1),
                          IS_THREE))  # fmt: skip


def parts(inner: st.SearchStrategy[Node | Primitive]) -> st.SearchStrategy[Node | Primitive]:
    fields = st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    return st.builds(lambda kind, given: made(kind, **given), st.sampled_from(KINDS), fields)


@given(st.recursive(LEAVES, parts, max_leaves=8))
def test_any_objects_are_a_query_or_the_documented_error(node: Node) -> None:
    try:
        query = Query(node)
    except ProtocolError:
        return
    assert isinstance(query.selects(NAME, ManagedBean(Pool(), NAME)), bool)
