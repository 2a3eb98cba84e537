"""A cart and a login in Starlette. The middleware is all that is Catalina's in it, and a2wsgi around the whole."""

from __future__ import annotations

import secrets

from a2wsgi import ASGIMiddleware
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from catalina.contrib.starlette import SessionMiddleware


async def show(request):
    """The user, the cart, and the messages since the last look."""
    session = request.session
    token = session.setdefault("csrf_token", secrets.token_urlsafe(16))
    said = session.pop("said", [])
    return JSONResponse({"user": session.get("user"), "cart": session.get("cart", {}), "said": said, "token": token})


async def put(request):
    """One more of an item: a change inside a value."""
    check_token(request)
    item = request.path_params["item"]
    cart = request.session.setdefault("cart", {})
    cart[item] = cart.get(item, 0) + 1
    request.session.setdefault("said", []).append(f"{item} is in your cart")
    return JSONResponse(cart)


async def login(request):
    """A login gives the session another id on all nodes, so that an id that somebody has planted is worth nothing."""
    check_token(request)
    request.session["user"] = request.path_params["name"]
    request.session.regenerate()
    return JSONResponse({"user": request.session["user"]})


async def logout(request):
    check_token(request)
    request.session.clear()
    return JSONResponse({"user": None})


def check_token(request) -> None:
    expected = request.session.get("csrf_token")
    if expected is None or not secrets.compare_digest(expected, request.headers.get("X-CSRF-Token", "")):
        raise HTTPException(400, "the token of the form is missing or old")


application = Starlette(
    routes=[
        Route("/", show),
        Route("/cart/{item}", put, methods=["POST"]),
        Route("/login/{name}", login, methods=["POST"]),
        Route("/logout", logout, methods=["POST"]),
    ],
    middleware=[Middleware(SessionMiddleware, max_age=14 * 24 * 3600)],
)

app = ASGIMiddleware(application)
