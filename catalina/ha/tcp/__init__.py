"""The cluster element, and the valve that replicates at the end of a request (Tomcat: ha/tcp).

``simple_tcp_cluster`` joins channel, managers, valves and farm; ``replication_valve`` ends a request;
``missed_messages`` notes members that did not get one; ``node_facts`` and ``live_facts`` answer operators' questions to
the group; ``member_bean`` shows a member.
"""
