"""The files of an application: directories and archives as one tree, and a cache over them.

``standard_root`` is the tree, ``resource`` a file in it, ``resource_set`` the base of ``dir_resource_set``,
``jar_resource_set``, ``war_resource_set``, ``file_resource_set`` and ``empty_resource_set``; ``extracting_root``
unpacks. ``resource_cache`` remembers, ``cache_bean`` shows it; ``unserved_names`` are never content.
"""
