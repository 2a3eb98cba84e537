import re

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from shop.models import Product


def index(request):
    cart = request.session.get("cart", {})
    node = re.sub(r".*\.", "", request.session.session_key or "")
    return render(request, "index.html", {"products": Product.objects.all(), "count": sum(cart.values()), "node": node})


@require_POST
def buy(request, product):
    found = get_object_or_404(Product, pk=product)
    cart = request.session.setdefault("cart", {})
    cart[found.name] = cart.get(found.name, 0) + 1
    messages.info(request, f"{found.name} is in your cart")
    return redirect("index")
