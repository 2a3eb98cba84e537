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
#   CATALINA_START_WAIT  seconds for which "start" waits until the server serves or has failed; 0 does not wait; 120
#   CATALINA_LOGGING_CONFIG  -Djava.util.logging.config.file=... when it is not conf/logging.properties
#   CATALINA_PYTHON   the Python to run with, instead of the virtual environment beside the project
#   CATALINA_EXTRAS   "sql,crypto": extras of the package that the server's own environment gets (setextras.sh)
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
  run PATH          Serve one application in the current window, in place (run PATH --help)
  start             Start Catalina in the background, and wait until it serves or has failed
  stop              Stop Catalina, waiting up to 5 seconds for the process to end
  stop n            Stop Catalina, waiting up to n seconds for the process to end
  stop -force       Stop Catalina, wait up to 5 seconds and then use kill -KILL if still running
  stop n -force     Stop Catalina, wait up to n seconds and then use kill -KILL if still running
  restart           Stop Catalina as "stop" does, with the same arguments, and start it again
  logs [-f] [NAME]  Show the end of catalina.out, or of the newest file logs/NAME*; -f: go on showing
  configtest        Run a basic syntax check on server.xml - check exit code for result
  version           What version of tomcat are you running?
  deploy, undeploy, list, reload, drain, undrain, status, sessions, top, doctor, exec
                    Ask the running node, as the command "catalina" does (catalina.sh drain --help)
Options of run, start and configtest:
  -config FILE      Read FILE instead of conf/server.xml
Ports, hosts and applications are in conf/server.xml; options of the process (-Dname=value) are in CATALINA_OPTS.
Note: Use of the -force option requires that $CATALINA_PID is defined
USAGE
}

# Only what Tomcat's own start class takes; another word is a mistake, which must not start a server.
check_options() {
  _command="$1"; shift
  while [ $# -gt 0 ]; do
    case $1 in
      -config) [ $# -ge 2 ] || { echo "catalina.sh $_command: -config needs a file"; exit 1; }; shift ;;
      -nonaming | -generateCode | -useGeneratedCode | -security | -D* | -X*) ;;
      *)
        echo "catalina.sh $_command: unknown option $1"
        usage
        exit 1 ;;
    esac
    shift
  done
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

# A process that has ended and that its parent has not asked for yet is still there, as a zombie.
has_ended() {
  [ -r "/proc/$1/stat" ] || return 1
  case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
    [ZX]*) return 0 ;;
  esac
  return 1
}

alive() {
  _process=$(cat "$CATALINA_PID")
  kill -0 "$_process" >/dev/null 2>&1 && ! has_ended "$_process"
}

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
  if { kill -0 "$PID" >/dev/null 2>&1 || [ -d "/proc/$PID" ]; } && ! has_ended "$PID"; then
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
  _report=
  [ "${CATALINA_START_WAIT:-120}" -gt 0 ] && _report=$(mktemp "$CATALINA_TMPDIR/catalina-start.XXXXXX" 2>/dev/null)
  _written=0
  [ -f "$CATALINA_OUT" ] && _written=$(wc -c <"$CATALINA_OUT")
  python "$_exec" "\"\$CATALINA_LOGGING_CONFIG\" $JAVA_OPTS $CATALINA_OPTS \"-Dcatalina.startReport=\$_report\"" \
    "$@" start >>"$CATALINA_OUT" 2>&1 &
  _server=$!
  [ -n "$CATALINA_PID" ] && echo "$_server" >"$CATALINA_PID"
  if [ -z "$_report" ]; then
    echo "Tomcat started."
    return 0
  fi
  trap 'rm -f "$_report"' EXIT
  wait_for_start
}

# The node writes into $_report once it serves: an exit code, then a line for each part that does not.
wait_for_start() {
  _tenths=$((${CATALINA_START_WAIT:-120} * 10))
  while [ ! -s "$_report" ] && kill -0 "$_server" 2>/dev/null && [ "$_tenths" -gt 0 ]; do
    sleep 0.1
    _tenths=$((_tenths - 1))
  done
  if [ -s "$_report" ]; then
    _result=$(head -n 1 "$_report")
    if [ "$_result" -eq 0 ]; then
      echo "Tomcat started."
    else
      echo "Tomcat runs, but none of its connectors serves."
    fi
    tail -n +2 "$_report" | sed 's/^/  /'
    [ "$(wc -l <"$_report")" -le 1 ] || show_errors
    return "$_result"
  fi
  if kill -0 "$_server" 2>/dev/null; then
    echo "Tomcat is still starting after ${CATALINA_START_WAIT:-120} seconds; $CATALINA_OUT says how far it is."
    return 0
  fi
  wait "$_server"
  _result=$?
  [ "$_result" -ne 0 ] || _result=1
  echo "Tomcat did not start (exit code $_result)."
  show_errors
  [ -z "$CATALINA_PID" ] || remove_pid_file "Unable to remove the PID file."
  return "$_result"
}

# The errors that this start has written, or its last lines when it has written none.
show_errors() {
  if [ -f "$CATALINA_OUT" ]; then
    tail -c "+$((_written + 1))" "$CATALINA_OUT" | grep -E '(^|[ \t])SEVERE([ :]|$)' | head -n 10 | sed 's/^/  /' |
      grep . || tail -c "+$((_written + 1))" "$CATALINA_OUT" | tail -n 5 | sed 's/^/  /'
  fi
  echo "  See $CATALINA_OUT"
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
  # With a PID file this script waits; without one the stop command asks the server which process it is, and waits.
  _wait=0
  [ -n "$CATALINA_PID" ] || _wait=$SLEEP
  python "" "$JAVA_OPTS -Dcatalina.stopWait=$_wait" "$@" stop
  STOPPED=$?
  if [ "$STOPPED" -eq 1 ] && [ -s "$CATALINA_PID" ]; then
    echo "The stop command failed. Attempting to signal the process to stop through OS signal."
    kill -15 "$(cat "$CATALINA_PID")" >/dev/null 2>&1
  fi
  [ -n "$CATALINA_PID" ] && [ -s "$CATALINA_PID" ] && wait_for_end
  [ "$FORCE" -eq 1 ] && kill_process
  return 0
}

restart() {
  if [ -n "$CATALINA_PID" ] && { [ ! -s "$CATALINA_PID" ] || ! alive; }; then
    echo "Tomcat is not running."
  else
    stop "$@"
    if [ "$STOPPED" -eq 2 ] || { [ -n "$CATALINA_PID" ] && [ -s "$CATALINA_PID" ] && alive; }; then
      echo "Restart aborted."
      exit 1
    fi
  fi
  start
}

logs() {
  _follow=
  [ "$1" = "-f" ] && { _follow=-f; shift; }
  _file="$CATALINA_OUT"
  [ -z "$1" ] || _file=$(ls -t "$CATALINA_BASE/logs/$1"* 2>/dev/null | head -n 1)
  if [ ! -f "$_file" ]; then
    echo "There is no log ${1:+that begins with $1 }in $CATALINA_BASE/logs; there are:"
    ls "$CATALINA_BASE/logs"
    exit 1
  fi
  exec tail -n 100 $_follow "$_file"
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
  -h | --help | help) usage; exit 0 ;;
  --version) COMMAND=version ;;
esac
if [ "$COMMAND" = run ]; then
  case $1 in
    "" | -*) ;;
    *)
      . "$(dirname "$PRG")/setpython.sh"
      exec "$_RUNPYTHON" -P -m catalina run "$@" ;;
  esac
fi
case $COMMAND in
  deploy | undeploy | list | reload | drain | undrain | status | sessions | top | doctor | cluster | exec)
    . "$(dirname "$PRG")/setpython.sh"
    exec "$_RUNPYTHON" -P -m catalina "$COMMAND" "$@" ;;
esac
for _word in "$@"; do
  case $_word in -h | --help) usage; exit 0 ;; esac
done
case $COMMAND in
  run | start | configtest) check_options "$COMMAND" "$@"; . "$(dirname "$PRG")/setpython.sh" ;;
  stop | restart | version) . "$(dirname "$PRG")/setpython.sh" ;;
  logs) logs "$@" ;;
  *) usage; exit 1 ;;
esac
case $COMMAND in
  run | start | configtest | restart) . "$(dirname "$PRG")/setextras.sh" ;;
esac
case $COMMAND in
  run) show_directories; python exec "\"\$CATALINA_LOGGING_CONFIG\" $JAVA_OPTS $CATALINA_OPTS" "$@" start ;;
  start) show_directories; start "$@" ;;
  stop) show_directories; stop "$@" ;;
  restart) show_directories; restart "$@" ;;
  configtest) show_directories; configtest "$@" ;;
  version) python "" "$JAVA_OPTS" version ;;
esac
