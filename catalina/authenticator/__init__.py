"""How a user proves who he is: the authenticator valves."""
