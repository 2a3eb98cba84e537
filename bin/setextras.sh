# Sourced by catalina.sh after setpython.sh: installs what CATALINA_EXTRAS names into the server's own environment.
#
#   CATALINA_EXTRAS   crypto, sql, ldap, http2, compression; separated by commas or blanks
#
# The list is looked at again when it changes. What cannot be installed is said, and the command goes on: the server
# starts, or says what it lacks, as it would have without.

_add_extras() {
  _EXTRAS=$(echo "$CATALINA_EXTRAS" | tr -s ', ' ',,' | sed 's/^,//; s/,$//')
  [ -n "$_EXTRAS" ] || return 0
  _STAMP="${_VENV:-/nowhere}/.extras"
  [ "$(cat "$_STAMP" 2>/dev/null)" = "$_EXTRAS" ] && [ ! "$_STAMP" -ot "$CATALINA_HOME/pyproject.toml" ] && return 0
  _LACKING=$("$_RUNPYTHON" -m catalina.extras "$_EXTRAS")
  case $? in
    0) _stamp_extras; return 0 ;;
    1) ;;
    *) return 0 ;; # it has said what is wrong with the list
  esac
  if [ -z "$_VENV" ] || [ -L "$_VENV" ]; then
    _say "CATALINA_EXTRAS: $_RUNPYTHON is not an environment of the server's own. Install there what it lacks:"
    _say "  $_RUNPYTHON -m pip install$(echo "$_LACKING" | sed "s/^/ '/; s/\$/'/" | tr -d '\n')"
    return 0
  fi
  exec 9>"$_VENV.lock"
  flock 9
  _say "Installing the extras $_EXTRAS"
  if echo "$_LACKING" | "$_RUNPYTHON" -m pip install --disable-pip-version-check --retries 1 -r /dev/stdin \
    >"$_VENV/extras.log" 2>&1; then
    _stamp_extras
  else
    _say "CATALINA_EXTRAS: they could not be installed; the server runs without. $(_why_not "$_VENV/extras.log")"
  fi
  exec 9>&-
}

_stamp_extras() {
  [ -n "$_VENV" ] && [ ! -L "$_VENV" ] && [ -w "$_VENV" ] && echo "$_EXTRAS" >"$_STAMP"
  return 0
}

_why_not() {
  if grep -q -e "Failed to establish a new connection" -e "Name or service not known" \
    -e "Temporary failure in name resolution" -e "Connection timed out" -e "ProxyError" "$1"; then
    echo "There is no way to the package index (network?); see $1"
  else
    echo "$(grep '^ERROR' "$1" | head -1) (see $1)"
  fi
}

_add_extras
