# One valve per module; valve_base is their base.
