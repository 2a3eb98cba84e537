#!/bin/sh
# catalina.sh start
exec "$(dirname "$(readlink -f "$0")")/catalina.sh" start "$@"
