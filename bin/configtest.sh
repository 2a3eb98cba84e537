#!/bin/sh
# catalina.sh configtest
exec "$(dirname "$(readlink -f "$0")")/catalina.sh" configtest "$@"
