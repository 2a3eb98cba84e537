"""The application of the cluster tests: each path does one thing to the session and answers what it has, as JSON."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs
from uuid import UUID

#: Values that have a form on both sides, as the Java node of the interop tests sets them too.
PORTABLE = {
    "text": "Gr\xfc\xdfe \0 \U0001f600",
    "yes": True,
    "small": 1,
    "long": 2**40,
    "huge": -(2**100),
    "float": 1.5,
    "bytes": b"\x00\xff",
    "list": [1, "a", None, [2.0]],
    "dict": {"a": 1, "b": [1, 2]},
    "set": {1, 2, 3},
    "decimal": Decimal("1.10"),
    "uuid": UUID(int=5),
    "instant": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}


@dataclass
class Cart:
    """A value of the application's own class."""

    items: list
    owner: str


def plain(value):
    return (
        asdict(value)
        if isinstance(value, Cart)
        else repr(value)
        if not isinstance(value, (int, str, list, dict))
        else value
    )


def count(session, query):
    session["count"] = session.get("count", 0) + 1


def put(session, query):
    for name, value in query.items():
        session[name] = value


def remove(session, query):
    session.pop(query["name"], None)


def cart(session, query):
    session["cart"] = Cart([], query.get("owner", "joe"))


def add(session, query):
    """A change inside a value, without setting it again."""
    session["cart"].items.append(query["item"])


def order(session, query):
    """Make a value whose class is in a module that nothing has imported before."""
    from cluster_orders import Line, Order

    made = Order(datetime(2026, 1, 2, tzinfo=UTC))
    made.lines[Line(query["article"], Decimal(query["price"]))] = int(query["count"])
    session["order"] = made


def pay(session, query):
    """Use such a value without importing its class."""
    made = session["order"]
    made.state = type(made.state).PAID
    session["total"] = str(made.total())


def fill(session, query):
    session["payload"] = "x" * int(query["bytes"])


def invalidate(session, query):
    session.invalidate()


def change_id(session, query):
    session.change_id()


def interval(session, query):
    session.max_inactive_interval = int(query["seconds"])


def types(session, query):
    """One value of each portable type, and what only Python has."""
    session.update(PORTABLE)
    session["tuple"] = (1, (2, 3))
    session["cart"] = Cart(["apple"], "joe")


def described(session, query):
    """The same as show; a Java node adds the classes here."""


def check_types(session, query):
    """Compare what a Java node has set with the same values here."""
    wrong = {
        name: repr(session.get(name))
        for name, value in PORTABLE.items()
        if session.get(name) != value or type(session.get(name)) is not type(value)
    }
    session["wrong"] = wrong


def show(session, query):
    """Look, and change nothing."""


ACTIONS = {
    function.__name__: function
    for function in (
        count,
        put,
        remove,
        cart,
        add,
        order,
        pay,
        fill,
        invalidate,
        change_id,
        interval,
        types,
        described,
        check_types,
        show,
    )
}


def application(environ, start_response):
    action = ACTIONS[environ["PATH_INFO"].strip("/") or "show"]
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    session = environ["catalina.session"]
    action(session, query)
    answer = {
        "id": session.id,
        "new": session.is_new,
        "values": {name: plain(value) for name, value in session.items() if name != "payload"},
        "original_id": environ.get("org.apache.catalina.ha.session.JvmRouteOrignalSessionID"),
        "primary": environ.get("org.apache.catalina.ha.tcp.isPrimarySession"),
    }
    body = json.dumps(answer).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
