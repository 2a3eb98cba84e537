# Sourced by the other scripts: finds the Python that runs the server and leaves its path in _RUNPYTHON.
#
#   CATALINA_PYTHON   a Python in which the package is installed; nothing is set up then
#
# Without it the virtual environment .venv beside the project is used, made on first use and brought up to date when
# pyproject.toml has changed. Several scripts may do that at the same time: they wait for each other. What pip installed
# runs with the Python it was installed for.

_say() { echo "$*" >&2; }

_is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

_has_venv_module() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

_is_optimised() {
  "$1" -c 'import sys, sysconfig
sys.exit("--enable-optimizations" not in (sysconfig.get_config_var("CONFIG_ARGS") or ""))' 2>/dev/null
}

_install_venv_module() {
  # Debian keeps ensurepip in a package of its own.
  _has_venv_module "$_PYTHON" && return 0
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    _say "Installing python3-venv"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null 2>&1 ||
      { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } >/dev/null 2>&1
  fi
  _has_venv_module "$_PYTHON"
}

# The python3 of the PATH. One that was built without optimisations, as pyenv does when it is not told otherwise, serves
# a fifth fewer requests: then the system's, if it will do.
_choose_python() {
  _PYTHON=python3
  if _is_recent python3 && _is_optimised python3; then
    return 0
  fi
  if _is_recent /usr/bin/python3; then
    _PYTHON=/usr/bin/python3
    _install_venv_module && return 0
    _PYTHON=python3
  fi
  if ! command -v python3 >/dev/null 2>&1; then
    _say "python3 was not found; Python 3.11 or later is needed"
    return 1
  fi
  _is_recent python3 && return 0
  _say "$(python3 --version) is too old; Python 3.11 or later is needed"
  return 1
}

# A link is somebody else's environment: it is used, and left as it is.
_venv_is_current() {
  [ -L "$_VENV" ] && [ -x "$_VENV/bin/python" ] && return 0
  [ -x "$_VENV/bin/python" ] && [ -f "$_VENV/.installed" ] && [ ! "$CATALINA_HOME/pyproject.toml" -nt "$_VENV/.installed" ]
}

_make_venv() {
  if [ ! -x "$_VENV/bin/python" ]; then
    _choose_python || return 1
    if ! _install_venv_module; then
      _say "Python's venv module is not installed (Debian: apt-get install python3-venv)"
      return 1
    fi
    _say "Making the virtual environment $_VENV with $("$_PYTHON" --version), $(command -v "$_PYTHON")"
    "$_PYTHON" -m venv "$_VENV" || return 1
  fi
  _say "Installing the package and what it needs"
  if ! "$_VENV/bin/python" -m pip install --disable-pip-version-check -e "$CATALINA_HOME" >"$_VENV/setup.log" 2>&1; then
    cat "$_VENV/setup.log" >&2
    return 1
  fi
  touch "$_VENV/.installed"
}

_set_up_venv() {
  _VENV="$CATALINA_HOME/.venv"
  _venv_is_current && return 0
  if ! { : >>"$_VENV.lock"; } 2>/dev/null; then
    _say "Cannot make $_VENV: $CATALINA_HOME is not writable. Set CATALINA_PYTHON."
    return 1
  fi
  # The lock is that of the open file: it goes with this process, however it ends.
  exec 9>"$_VENV.lock"
  flock 9
  _venv_is_current || _make_venv
  _result=$?
  exec 9>&-
  return $_result
}

# The code that runs is the one beside these scripts, also when the environment has another copy installed.
if [ -f "$CATALINA_HOME/catalina/__init__.py" ]; then
  PYTHONPATH="$CATALINA_HOME${PYTHONPATH:+:$PYTHONPATH}"
  export PYTHONPATH
fi

if [ -n "$CATALINA_PYTHON" ]; then
  _RUNPYTHON="$CATALINA_PYTHON"
  if ! command -v "$_RUNPYTHON" >/dev/null 2>&1; then
    echo "The CATALINA_PYTHON environment variable is not defined correctly"
    echo "This environment variable is needed to run this program"
    exit 1
  fi
elif [ ! -f "$CATALINA_HOME/pyproject.toml" ]; then
  # What pip installed: lib/python3.x/site-packages/catalina_home in an environment that has the package.
  _SITE=$(dirname "$CATALINA_HOME")
  _RUNPYTHON="$_SITE/../../../bin/python3"
  [ -x "$_RUNPYTHON" ] || _RUNPYTHON=python3
  PYTHONPATH="$_SITE${PYTHONPATH:+:$PYTHONPATH}"
  export PYTHONPATH
else
  _set_up_venv || exit 1
  _RUNPYTHON="$CATALINA_HOME/.venv/bin/python"
fi
