"""The RewriteValve: rules like those of Apache's mod_rewrite.

``rewrite_valve`` has the valve, and reads its file into ``rewrite_rule`` and ``rewrite_cond``;
``substitution`` expands the text that a rule writes, ``variables`` resolves %{...}, ``rewrite_map`` has the maps, and
``escapes`` what happens to a URL before and after.
"""
