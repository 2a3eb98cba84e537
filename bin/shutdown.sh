#!/bin/sh
# catalina.sh stop
exec "$(dirname "$(readlink -f "$0")")/catalina.sh" stop "$@"
