# rewrite_valve is the valve; rewrite_config reads its file into rewrite_rule and rewrite_cond; substitution expands
# what a rule writes, variables says what %{...} means, rewrite_map has the maps.
