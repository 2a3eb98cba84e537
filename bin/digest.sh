#!/bin/sh
# Makes the stored form of passwords: digest.sh [-a algorithm] [-e encoding] [-i iterations] [-s salt-length]
# [-k key-length] [-h handler-class] password...
PRG=$(readlink -f "$0")
[ -z "$CATALINA_HOME" ] && CATALINA_HOME=$(cd "$(dirname "$PRG")/.." >/dev/null && pwd)
export CATALINA_HOME
. "$(dirname "$PRG")/setpython.sh"
exec "$_RUNPYTHON" -P -m catalina.realm.digest_tool "$@"
