"""Applications deployed on every node of a farm (Tomcat: ha/deploy).

Read ``farm_war_deployer`` first, the element, which also finds archives. ``file_message_factory`` cuts them into
``file_message``, behind whose bytes stands a ``farm_trailer``; ``farm_sender`` sends them; ``farm_inbox`` joins them
again, ``farm_directory`` puts the archive in place; ``undeploy_message`` removes one. ``farm_state`` remembers which
version counts, ``farm_introductions`` brings new members up to date, ``farm_rollouts`` takes a version back from all
nodes, ``farm_worker`` does the slow work.
"""
