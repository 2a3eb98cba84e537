"""The same cart with Flask-Login. No session_interface is set: the container's sessions are Flask's."""

from flask import Flask, redirect, render_template_string, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user

app = Flask(__name__)
logins = LoginManager(app)
logins.session_protection = "strong"

PAGE = """<!doctype html><title>Shop</title>
<p>Customer: <b id="user">{{ name }}</b>, cart: <b id="count">{{ count }}</b>, node: <b id="node">{{ node }}</b></p>
<form method="post" action="{{ url_for('buy') }}"><button id="buy">Buy</button></form>
<form method="post" action="{{ url_for('login') }}"><input name="username"><button id="login">Log in</button></form>
"""


class User(UserMixin):
    def __init__(self, name):
        self.id = name


@logins.user_loader
def load_user(name):
    return User(name)


@app.get("/")
def index():
    name = current_user.id if current_user.is_authenticated else ""
    node = request.cookies.get("JSESSIONID", "").rpartition(".")[2]
    return render_template_string(PAGE, name=name, count=session.get("count", 0), node=node)


@app.post("/login")
def login():
    login_user(User(request.form["username"]))
    return redirect(url_for("index"))


@app.post("/buy")
def buy():
    session["count"] = session.get("count", 0) + 1
    return redirect(url_for("index"))
