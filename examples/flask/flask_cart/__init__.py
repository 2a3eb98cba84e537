"""A cart and a login in Flask. The last two lines of the set-up are all that is Catalina's in it.

They can be left out: a distributable application without a session back end of its own gets the container's sessions
by itself (frameworkSessions="auto" of the Context).
"""

from __future__ import annotations

import secrets

from flask import Flask, abort, flash, get_flashed_messages, jsonify, request, session

from catalina.contrib.flask import CatalinaSessionInterface

app = Flask(__name__)
app.session_interface = CatalinaSessionInterface()


@app.get("/")
def show():
    """The user, the cart, and the messages since the last look."""
    return jsonify(
        user=session.get("user"),
        cart=session.get("cart", {}),
        said=get_flashed_messages(),
        token=session.setdefault("csrf_token", secrets.token_urlsafe(16)),
    )


@app.post("/cart/<item>")
def put(item: str):
    """One more of an item: a change inside a value, which needs no session.modified."""
    check_token()
    cart = session.setdefault("cart", {})
    cart[item] = cart.get(item, 0) + 1
    flash(f"{item} is in your cart")
    return jsonify(cart)


@app.post("/login/<name>")
def login(name: str):
    """A login gives the session another id on all nodes, so that an id that somebody has planted is worth nothing."""
    check_token()
    session["user"] = name
    session.permanent = "remember" in request.args
    app.session_interface.regenerate(session)
    return jsonify(user=name)


@app.post("/logout")
def logout():
    check_token()
    session.clear()
    return jsonify(user=None)


def check_token() -> None:
    expected = session.get("csrf_token")
    if expected is None or not secrets.compare_digest(expected, request.headers.get("X-CSRF-Token", "")):
        abort(400, "the token of the form is missing or old")
