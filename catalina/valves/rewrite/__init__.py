# rewrite_valve has the valve. rewrite_config reads its file into rewrite_rule and rewrite_cond; substitution expands
# the text that a rule writes, variables resolves %{...}, and rewrite_map has the maps.
