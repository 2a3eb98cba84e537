"""A cart and a login with Beaker's sessions. The class of the sessions is all that is Catalina's in it."""

from __future__ import annotations

import json
import secrets

from beaker.middleware import SessionMiddleware

from catalina.contrib.beaker import CatalinaSession


def cart(environ, start_response):
    session = environ["beaker.session"]
    match environ["REQUEST_METHOD"], environ["PATH_INFO"].strip("/").split("/"):
        case "GET", [""]:
            answer = show(session)
        case "POST", _ if not has_token(environ, session):
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [b"the token of the form is missing or old"]
        case "POST", ["cart", item]:
            answer = put(session, item)
        case "POST", ["login", name]:
            session["user"] = name
            session.save()
            session.regenerate_id()  # on all nodes, so that an id that somebody has planted is worth nothing
            answer = {"user": name}
        case "POST", ["logout"]:
            session.delete()
            answer = {"user": None}
        case _:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"no such page"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def show(session):
    """The user, the cart, and the messages since the last look."""
    token = session.setdefault("csrf_token", secrets.token_urlsafe(16))
    said = session.pop("said", [])
    session.save()
    return {"user": session.get("user"), "cart": session.get("cart", {}), "said": said, "token": token}


def put(session, item):
    """One more of an item: a change inside a value."""
    cart = session.setdefault("cart", {})
    cart[item] = cart.get(item, 0) + 1
    session.setdefault("said", []).append(f"{item} is in your cart")
    session.save()
    return cart


def has_token(environ, session):
    expected = session.get("csrf_token")
    return expected is not None and secrets.compare_digest(expected, environ.get("HTTP_X_CSRF_TOKEN", ""))


settings = {"session.session_class": CatalinaSession, "session.cookie_expires": 14 * 24 * 3600}
app = SessionMiddleware(cart, settings)
