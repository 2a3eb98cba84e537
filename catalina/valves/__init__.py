# One valve per module; valve_base is what they share.
