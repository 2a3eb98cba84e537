"""The naming elements, over ``resource_base``.

``context_environment``, ``context_resource``, ``context_resource_env_ref``, ``context_resource_link``,
``context_transaction``, and ``application_parameter``.
"""
