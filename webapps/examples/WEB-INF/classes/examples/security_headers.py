"""A filter: a factory of WSGI middleware, called once with what comes next and its init parameters."""


def security_headers(application, policy):
    """Tell browsers to load nothing from elsewhere and to guess no types."""
    headers = [("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin")]

    def filtered(environ, start_response):
        def start(status, own, exc_info=None):
            return start_response(status, [*own, *headers], exc_info)

        return application(environ, start)

    return filtered
