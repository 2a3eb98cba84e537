"""A project as `django-admin startproject` makes it, shortened. SESSION_ENGINE is all that is Catalina's in it.

It can be left out: a distributable application without a session back end of its own gets the container's sessions by
itself (frameworkSessions="auto" of the Context).
"""

import os

SECRET_KEY = os.environ.get("CART_SECRET_KEY", "only for this example")
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_cart.urls"
WSGI_APPLICATION = "django_cart.wsgi.application"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SESSION_ENGINE = "catalina.contrib.django"

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.messages"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
# The users are the same for all nodes. (For more than an example take a database server.)
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("CART_DATABASE", "cart.sqlite3")}
}

# The token of the forms and the messages are in the session, too.
CSRF_USE_SESSIONS = True
CSRF_HEADER_NAME = "HTTP_X_CSRF_TOKEN"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
