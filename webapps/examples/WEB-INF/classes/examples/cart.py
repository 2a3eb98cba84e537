"""A shopping cart: a list in the session, changed in place."""

from decimal import Decimal

from catalina.webapp import send_error

from examples.page import escape, form_fields, page, redirect, respond

PRODUCTS = {
    "tea": ("Assam tea, 250 g", Decimal("7.90")),
    "bread": ("Rye bread", Decimal("4.20")),
    "honey": ("Heather honey", Decimal("9.50")),
    "lamp": ("Desk lamp", Decimal("39.00")),
    "book": ("A book about otters", Decimal("18.00")),
}


def application(environ, start_response):
    """``/cart/`` shows it; ``/cart/add``, ``/cart/remove`` and ``/cart/clear`` change it."""
    action = environ["PATH_INFO"].strip("/")
    if environ["REQUEST_METHOD"] == "POST":
        return change(environ, start_response, action)
    if action:
        return send_error(environ, start_response, 404)
    return respond(start_response, page(environ, environ["catalina.context"].init_parameters["shop.name"], show(environ), "cart"))


def change(environ, start_response, action):
    session = environ["catalina.session"]
    product = form_fields(environ).get("product", "")
    if action not in ("add", "remove", "clear") or (action != "clear" and product not in PRODUCTS):
        return send_error(environ, start_response, 400, "There is no such product")
    if "cart" not in session:
        session["cart"] = []
    cart = session["cart"]
    # From here on the list itself is changed; nothing is stored again, and the other nodes learn of it all the same.
    if action == "clear":
        cart.clear()
    elif action == "remove":
        cart[:] = [line for line in cart if line["product"] != product]
    else:
        add(cart, product)
    return redirect(environ, start_response, "/cart/")


def add(cart, product):
    for line in cart:
        if line["product"] == product:
            line["quantity"] += 1
            return
    cart.append({"product": product, "quantity": 1, "price": PRODUCTS[product][1]})


def button(action, product, text, quiet=False):
    style = ' class="quiet"' if quiet else ""
    return (
        f'<form method="post" action="{action}"><input type="hidden" name="product" value="{escape(product)}">'
        f"<button{style}>{text}</button></form>"
    )


def show(environ):
    cart = environ["catalina.session"].get("cart", [])
    offers = "".join(
        f'<section class="card"><h2>{escape(name)}</h2><p>{price} &euro;</p>{button("add", product, "Add to cart")}</section>'
        for product, (name, price) in PRODUCTS.items()
    )
    return f'<div class="cards">{offers}</div><h2 class="later">Your cart</h2>{table(cart)}'


def table(cart):
    if not cart:
        return '<p class="empty">It is empty.</p>'
    rows = "".join(
        f"<tr><td>{escape(PRODUCTS[line['product']][0])}</td><td class=number>{line['quantity']}</td>"
        f"<td class=number>{line['price'] * line['quantity']} &euro;</td>"
        f"<td class=number>{button('remove', line['product'], 'remove', quiet=True)}</td></tr>"
        for line in cart
    )
    total = sum(line["price"] * line["quantity"] for line in cart)
    return (
        "<table><thead><tr><th>Product</th><th class=number>Quantity</th><th class=number>Price</th><th></th></tr></thead>"
        f"<tbody>{rows}</tbody><tfoot><tr><td>Together</td><td></td><td class=number>{total} &euro;</td>"
        f"<td class=number>{button('clear', '', 'empty the cart', quiet=True)}</td></tr></tfoot></table>"
    )
