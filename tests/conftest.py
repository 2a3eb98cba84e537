"""For all tests: an example of a property test has no deadline. A machine busy with other tests is no fault.

Under CI=true the examples are the same in every run, so that a red build is about the change it is shown for; on a
developer's machine they are new ones each time, and what they find becomes an ``@example``.
"""

import os

from hypothesis import settings

settings.register_profile("catalina", deadline=None)
settings.register_profile("ci", settings.get_profile("catalina"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "catalina")
