"""User databases: who may log in, with groups and roles.

``memory_user_database`` is tomcat-users.xml, which ``users_file`` reads and writes; ``data_source_user_database`` has
them in tables. Each has its factory for a Resource: ``memory_user_database_factory``,
``data_source_user_database_factory``. ``user_operations`` has their beans, and what these can do.
"""
