"""Finds and checks users: realms, their credential handlers, and the rules of security constraints.

- ``realm`` is the interface, ``realm_base`` the common part, ``generic_principal`` the user, ``access_rules`` what a
  request needs.
- Users: ``user_database_realm``, ``memory_realm``, ``data_source_realm``, ``jndi_realm`` (with ``ldap_directory``),
  ``authenticated_user_realm``, ``null_realm``; ``jaas_realm`` and ``jaas_memory_login_module``, which let
  nobody in. ``combined_realm`` asks several, ``lock_out_realm`` locks out.
- Passwords: ``credential_handler``, ``message_digest_credential_handler`` (``message_digest``),
  ``secret_key_credential_handler``, ``nested_credential_handler``, ``constant_time``; ``digest_tool`` is digest.sh.
- Certificates: ``client_certificates``, ``x509_subject_dn_retriever``.
"""
