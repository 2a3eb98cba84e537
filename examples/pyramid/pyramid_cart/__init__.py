"""A cart and a login in Pyramid. The session factory is all that is Catalina's in it."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.csrf import check_csrf_token
from pyramid.view import view_config

from catalina.contrib.pyramid import CatalinaSessionFactory


@view_config(route_name="cart", request_method="GET", renderer="json")
def show(request):
    """The user, the cart, and the messages since the last look."""
    session = request.session
    return {
        "user": session.get("user"),
        "cart": session.get("cart", {}),
        "said": session.pop_flash(),
        "token": session.get_csrf_token(),
    }


@view_config(route_name="put", request_method="POST", renderer="json")
def put(request):
    """One more of an item: a change inside a value, which needs no session.changed()."""
    check_csrf_token(request)
    item = request.matchdict["item"]
    cart = request.session.setdefault("cart", {})
    cart[item] = cart.get(item, 0) + 1
    request.session.flash(f"{item} is in your cart")
    return cart


@view_config(route_name="login", request_method="POST", renderer="json")
def login(request):
    """A login gives the session another id on all nodes, so that an id that somebody has planted is worth nothing."""
    check_csrf_token(request)
    request.session["user"] = request.matchdict["name"]
    request.session.change_id()
    return {"user": request.session["user"]}


@view_config(route_name="logout", request_method="POST", renderer="json")
def logout(request):
    check_csrf_token(request)
    request.session.invalidate()
    return {"user": None}


def main():
    with Configurator() as config:
        config.set_session_factory(CatalinaSessionFactory(max_age=14 * 24 * 3600))
        config.add_route("cart", "/")
        config.add_route("put", "/cart/{item}")
        config.add_route("login", "/login/{name}")
        config.add_route("logout", "/logout")
        config.scan()
        return config.make_wsgi_app()


app = main()
