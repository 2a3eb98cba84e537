#!/usr/bin/env python3
"""Django's commands: ``CART_DATABASE=/srv/cart.sqlite3 ./manage.py migrate``, ``createsuperuser``, ``runserver``."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_cart.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
