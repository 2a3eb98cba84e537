"""Starts and stops the server: bin's verbs, the arbiter and the node, and the configuration of hosts and applications
from files.

- The way in: ``bootstrap`` (the scripts; the ``catalina`` command is catalina/__main__.py),
  ``home_directory``, ``system_properties``, ``catalina_properties``, ``property_sources``. ``catalina`` loads
  server.xml.
- The processes: ``node_application`` is the arbiter, ``node_worker`` the process below it, ``node_parts`` what each
  does, ``node_life`` what they share, ``process_control`` what they ask of the kernel, ``worker_count``,
  ``keeper_need``, ``worker_limits``, ``health_gate``, ``arbiter_log``, ``version_logger_listener``. A pool's worker may
  become another program: ``executed_worker`` before, ``pool_program`` after that. One with a user of its own:
  ``pool_launch`` and ``pool_configuration`` in the keeper (what it begins with), ``pool_guard`` beside it,
  ``pool_process``, which it is.
- Deployment: ``host_config`` with ``application_deployer``, ``application_sources`` (what there is), ``context_maker``,
  ``application_root``, ``application_packages`` (requirements), ``archive_installation``, ``archive_exchange``,
  ``bare_application``, ``change_check``, ``deployed_application``, ``application_states``,
  ``progress_bar``, ``user_config``; in a worker ``worker_applications``.
- One application: ``context_config`` reads web.xml (``web_fragments``, ``web_xml_application``,
  ``application_variables``, ``application_logging``, ``privileged_application``).
- The operator's verbs against a running node: ``control_socket``, ``control_commands`` and ``node_commands`` in the
  node, ``control_client`` and ``manager_client`` outside; ``node_status``, ``top``, ``session_safety``,
  ``exec_command``, ``application_environment``, ``vm_report``.
- Looking for faults: ``config_test`` with ``start_check``; ``doctor`` with ``finding`` and ``group_findings``.
- ``server_beans`` names every component as a bean, ``reference`` prints its attributes.
"""
