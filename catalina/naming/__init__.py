"""Resources by name: data sources, mail sessions, environment entries.

``naming_context`` has the names, ``resource_binder`` binds what elements declare, ``object_factory`` is what makes an
object when it is first looked up: ``data_source`` (with ``pool_settings``, ``hikari_factory``, ``data_source_by_user``,
``data_source_bean``, ``sql_identifier``), ``mail_session``.
"""
