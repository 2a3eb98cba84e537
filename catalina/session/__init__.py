"""HTTP sessions: the session, its managers and stores, and the mapping that an application sees.

- The interfaces to the rest of the container: ``session``, ``manager``. ``session_event``: what listeners hear.
- ``standard_session``, a session that exists on this node only, on the ``steady_clock``; ``session_facade`` is
  ``environ["catalina.session"]``.
- Managers: ``manager_base`` creates, finds, expires and counts; ``standard_manager`` keeps sessions in memory, and
  across a restart in a file when ``pathname`` is set; ``persistent_manager_base`` and ``persistent_manager`` also keep
  them in a store.
- Stores: ``store_base``, ``file_store``, ``data_source_store``. A session as bytes, in the form of Tomcat's own files:
  ``session_record`` (``dump_session`` and ``load_session`` are what a store needs).
- Attributes: ``attribute_codec`` between value and bytes, ``immutable`` which types need no comparison.
- For adapters of web frameworks: ``framework_session``, ``staged_attributes``.
"""
