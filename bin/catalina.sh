#!/bin/sh
# Starts, stops and checks the server; commands, variables, messages and exit codes are those of Tomcat's catalina.sh.
#
#   CATALINA_HOME     where the program is; the parent of this script's directory
#   CATALINA_BASE     conf, logs, temp, webapps and work of this instance; CATALINA_HOME
#   CATALINA_OUT      standard output and error of "start"; $CATALINA_BASE/logs/catalina.out
#   CATALINA_OUT_CMD  command that reads CATALINA_OUT, which is a named pipe then
#   CATALINA_OPTS     -Dname=value and such for run, start and configtest
#   JAVA_OPTS         the same for every command
#   CATALINA_TMPDIR   directory for temporary files; $CATALINA_BASE/temp
#   CATALINA_PID      file that holds the process id of "start"
#   CATALINA_LOGGING_CONFIG  -Djava.util.logging.config.file=... when it is not conf/logging.properties
#   CATALINA_PYTHON   the Python to run with, instead of the virtual environment beside the project
#   UMASK             0027
#   USE_NOHUP         "true": start with nohup
# All but HOME and BASE may be set in bin/setenv.sh of CATALINA_BASE, or else of CATALINA_HOME.

PRG="$0"
while [ -h "$PRG" ]; do
  link=$(readlink "$PRG")
  case $link in
    /*) PRG="$link" ;;
    *) PRG="$(dirname "$PRG")/$link" ;;
  esac
done
[ -z "$CATALINA_HOME" ] && CATALINA_HOME=$(cd "$(dirname "$PRG")/.." >/dev/null && pwd)
[ -z "$CATALINA_BASE" ] && CATALINA_BASE="$CATALINA_HOME"
export CATALINA_HOME CATALINA_BASE

if [ -r "$CATALINA_BASE/bin/setenv.sh" ]; then
  . "$CATALINA_BASE/bin/setenv.sh"
elif [ -r "$CATALINA_HOME/bin/setenv.sh" ]; then
  . "$CATALINA_HOME/bin/setenv.sh"
fi

case $CATALINA_HOME in
  *:*)
    echo "Using CATALINA_HOME:   $CATALINA_HOME"
    echo "Unable to start as CATALINA_HOME contains a colon (:) character"
    exit 1 ;;
esac
case $CATALINA_BASE in
  *:*)
    echo "Using CATALINA_BASE:   $CATALINA_BASE"
    echo "Unable to start as CATALINA_BASE contains a colon (:) character"
    exit 1 ;;
esac

[ -z "$CATALINA_OUT" ] && CATALINA_OUT="$CATALINA_BASE/logs/catalina.out"
[ -z "$CATALINA_TMPDIR" ] && CATALINA_TMPDIR="$CATALINA_BASE/temp"
if [ -z "$CATALINA_LOGGING_CONFIG" ]; then
  CATALINA_LOGGING_CONFIG="-Dnop"
  [ -r "$CATALINA_BASE/conf/logging.properties" ] &&
    CATALINA_LOGGING_CONFIG="-Djava.util.logging.config.file=$CATALINA_BASE/conf/logging.properties"
fi
umask "${UMASK:-0027}"
# A source tree from version control has no empty directories. A CATALINA_BASE of its own is not touched.
if [ "$CATALINA_BASE" = "$CATALINA_HOME" ] && [ -w "$CATALINA_HOME" ]; then
  mkdir -p "$CATALINA_HOME/logs" "$CATALINA_HOME/temp" "$CATALINA_HOME/work" "$CATALINA_HOME/webapps"
fi
JAVA_OPTS="$JAVA_OPTS -Dorg.apache.catalina.security.SecurityListener.UMASK=$(umask)"

usage() {
  cat <<'USAGE'
Usage: catalina.sh ( commands ... )
commands:
  run               Start Catalina in the current window
  start             Start Catalina in a separate window
  stop              Stop Catalina, waiting up to 5 seconds for the process to end
  stop n            Stop Catalina, waiting up to n seconds for the process to end
  stop -force       Stop Catalina, wait up to 5 seconds and then use kill -KILL if still running
  stop n -force     Stop Catalina, wait up to n seconds and then use kill -KILL if still running
  configtest        Run a basic syntax check on server.xml - check exit code for result
  version           What version of tomcat are you running?
Note: Waiting for the process to end and use of the -force option require that $CATALINA_PID is defined
USAGE
  exit 1
}

# -P: the current directory is no place to import from.
# The options may contain quotes of their own, as in CATALINA_OPTS='-Dname="two words"': they are read by the shell again.
python() {
  _exec="$1"; shift
  _options="$1"; shift
  eval $_exec "\"\$_RUNPYTHON\"" -P -m catalina.startup.bootstrap "$_options" \
    "\"-Dcatalina.base=\$CATALINA_BASE\"" "\"-Dcatalina.home=\$CATALINA_HOME\"" \
    "\"-Djava.io.tmpdir=\$CATALINA_TMPDIR\"" '"$@"'
}

show_directories() {
  [ -t 0 ] || return 0
  echo "Using CATALINA_BASE:   $CATALINA_BASE"
  echo "Using CATALINA_HOME:   $CATALINA_HOME"
  echo "Using CATALINA_TMPDIR: $CATALINA_TMPDIR"
  echo "Using PYTHON:          $_RUNPYTHON"
  echo "Using CATALINA_OPTS:   $CATALINA_OPTS"
  [ -z "$CATALINA_PID" ] || echo "Using CATALINA_PID:    $CATALINA_PID"
}

alive() { kill -0 "$(cat "$CATALINA_PID")" >/dev/null 2>&1; }

remove_pid_file() {
  rm -f "$CATALINA_PID" >/dev/null 2>&1 && return 0
  [ -w "$CATALINA_PID" ] && : >"$CATALINA_PID" && return 0
  echo "$1"
  return 1
}

check_pid_before_start() {
  [ -n "$CATALINA_PID" ] && [ -f "$CATALINA_PID" ] || return 0
  if [ ! -s "$CATALINA_PID" ]; then
    remove_pid_file "Unable to remove or write to empty PID file. Start aborted." || exit 1
    return 0
  fi
  echo "Existing PID file found during start."
  if [ ! -r "$CATALINA_PID" ]; then
    echo "Unable to read PID file. Start aborted."
    exit 1
  fi
  PID=$(cat "$CATALINA_PID")
  # /proc also shows the processes of other users, which cannot be signalled; ps is not on every machine.
  if kill -0 "$PID" >/dev/null 2>&1 || [ -d "/proc/$PID" ]; then
    echo "Tomcat appears to still be running with PID $PID. Start aborted."
    echo "If the following process is not a Tomcat process, remove the PID file and try again:"
    ps -f -p "$PID" 2>/dev/null || tr '\0' ' ' <"/proc/$PID/cmdline"
    exit 1
  fi
  echo "Removing/clearing stale PID file."
  remove_pid_file "Unable to remove or clear stale PID file. Start aborted." || exit 1
}

open_output() {
  if [ -z "$CATALINA_OUT_CMD" ]; then
    # Without the directory nothing can run; the shell's own error is the message, as with Tomcat.
    : >>"$CATALINA_OUT" || exit 2
    return 0
  fi
  if [ ! -e "$CATALINA_OUT" ]; then
    if ! mkfifo "$CATALINA_OUT"; then
      echo "cannot create named pipe $CATALINA_OUT. Start aborted."
      exit 1
    fi
  elif [ ! -p "$CATALINA_OUT" ]; then
    echo "$CATALINA_OUT exists and is not a named pipe. Start aborted."
    exit 1
  fi
  $CATALINA_OUT_CMD <"$CATALINA_OUT" &
}

start() {
  check_pid_before_start
  open_output
  _exec="exec"
  [ "$USE_NOHUP" = "true" ] && _exec="exec nohup"
  python "$_exec" "\"\$CATALINA_LOGGING_CONFIG\" $JAVA_OPTS $CATALINA_OPTS" "$@" start >>"$CATALINA_OUT" 2>&1 &
  [ -n "$CATALINA_PID" ] && echo $! >"$CATALINA_PID"
  echo "Tomcat started."
}

check_pid_before_stop() {
  [ -n "$CATALINA_PID" ] || return 0
  if [ ! -f "$CATALINA_PID" ]; then
    echo "\$CATALINA_PID was set but the specified file does not exist. Is Tomcat running? Stop aborted."
    exit 1
  fi
  if [ ! -s "$CATALINA_PID" ]; then
    echo "PID file is empty and has been ignored."
  elif ! alive; then
    echo "PID file found but either no matching process was found or the current user does not have permission to stop the process. Stop aborted."
    exit 1
  fi
}

wait_for_end() {
  while [ "$SLEEP" -ge 0 ]; do
    if ! alive; then
      remove_pid_file "The PID file could not be removed or cleared." && FORCE=0
      echo "Tomcat stopped."
      return 0
    fi
    [ "$SLEEP" -gt 0 ] && sleep 1
    SLEEP=$((SLEEP - 1))
  done
  echo "Tomcat did not stop in time."
  [ "$FORCE" -eq 0 ] && echo "PID file was not removed."
  echo "To aid diagnostics a thread dump has been written to standard out."
  kill -3 "$(cat "$CATALINA_PID")"
}

kill_process() {
  if [ -z "$CATALINA_PID" ]; then
    echo "Kill failed: \$CATALINA_PID not set"
    return 0
  fi
  [ -f "$CATALINA_PID" ] || return 0
  PID=$(cat "$CATALINA_PID")
  echo "Killing Tomcat with the PID: $PID"
  kill -9 "$PID"
  for _ in 1 2 3 4 5 6; do
    if ! alive; then
      remove_pid_file "The PID file could not be removed."
      echo "The Tomcat process has been killed."
      return 0
    fi
    sleep 1
  done
  echo "Tomcat has not been killed completely yet. The process might be waiting on some system call or might be UNINTERRUPTIBLE."
}

stop() {
  SLEEP=5
  case $1 in
    "" | *[!0-9]*) ;;
    *) SLEEP=$1; shift ;;
  esac
  FORCE=0
  [ "$1" = "-force" ] && { FORCE=1; shift; }
  check_pid_before_stop
  if ! python "" "$JAVA_OPTS" "$@" stop && [ -s "$CATALINA_PID" ]; then
    echo "The stop command failed. Attempting to signal the process to stop through OS signal."
    kill -15 "$(cat "$CATALINA_PID")" >/dev/null 2>&1
  fi
  [ -n "$CATALINA_PID" ] && [ -s "$CATALINA_PID" ] && wait_for_end
  [ "$FORCE" -eq 1 ] && kill_process
  return 0
}

# With CATALINA_OPTS, other than Tomcat: the test shall see the properties that a start would.
configtest() {
  python "" "$JAVA_OPTS $CATALINA_OPTS" "$@" configtest
  _result=$?
  [ "$_result" -eq 0 ] || echo "Configuration error detected!"
  return "$_result"
}

COMMAND="$1"
[ $# -gt 0 ] && shift
case $COMMAND in
  run | start | stop | configtest | version) . "$(dirname "$PRG")/setpython.sh" ;;
  *) usage ;;
esac
case $COMMAND in
  run) show_directories; python exec "\"\$CATALINA_LOGGING_CONFIG\" $JAVA_OPTS $CATALINA_OPTS" "$@" start ;;
  start) show_directories; start "$@" ;;
  stop) show_directories; stop "$@" ;;
  configtest) show_directories; configtest "$@" ;;
  version) python "" "$JAVA_OPTS" version ;;
esac
