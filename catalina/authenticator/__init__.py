"""Authenticators, the valves that find out who a user is.

- The frame: ``authenticator_base`` asks the constraints of a request, then its subclass; ``constants``.
- The kinds of login: ``basic_authenticator``; ``digest_authenticator`` with ``digest_nonces``;
  ``form_authenticator``; ``ssl_authenticator``;
  ``non_login_authenticator``; ``spnego_authenticator``, which lets nobody in.
- One login for several applications: ``single_sign_on`` with ``single_sign_on_entry`` and
  ``single_sign_on_session_key``.
"""
