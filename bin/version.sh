#!/bin/sh
# catalina.sh version
exec "$(dirname "$(readlink -f "$0")")/catalina.sh" version "$@"
