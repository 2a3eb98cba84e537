"""A cart and a login. The password comes in a header, to keep the example short: take a form."""

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import HttpResponseForbidden, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.http import require_GET, require_POST


@require_GET
def show(request):
    """The user, the cart, and the messages since the last look."""
    return JsonResponse(
        {
            "user": request.user.get_username() or None,
            "cart": request.session.get("cart", {}),
            "said": [str(message) for message in messages.get_messages(request)],
            "token": get_token(request),
        }
    )


@require_POST
def put(request, item):
    """One more of an item: a change inside a value, which needs no request.session.modified."""
    cart = request.session.setdefault("cart", {})
    cart[item] = cart.get(item, 0) + 1
    messages.info(request, f"{item} is in your cart")
    return JsonResponse(cart)


@require_POST
def log_in(request, name):
    """Django's login gives the session another id, here on all nodes."""
    user = authenticate(request, username=name, password=request.headers.get("X-Password", ""))
    if user is None:
        return HttpResponseForbidden("wrong name or password")
    login(request, user)
    request.session.set_expiry(14 * 24 * 3600 if "remember" in request.GET else 0)
    return JsonResponse({"user": user.get_username(), "token": get_token(request)})


@require_POST
def log_out(request):
    logout(request)
    return JsonResponse({"user": None})
