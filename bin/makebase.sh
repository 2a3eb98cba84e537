#!/bin/sh
# Makes the directories and files of a new CATALINA_BASE: makebase.sh DIR [-w]; -w copies webapps and all of conf, too.
PRG=$(readlink -f "$0")
[ -z "$CATALINA_HOME" ] && CATALINA_HOME=$(cd "$(dirname "$PRG")/.." >/dev/null && pwd)
BASE_TGT=
COPY_WEBAPPS=false
for word in "$@"; do
  case $word in
    -h | --help)
      echo "Usage: makebase <path-to-target-directory> [-w]"
      echo "  -w, --webapps  copy the web applications and all of conf, too"
      exit 0 ;;
    -w | --webapps) COPY_WEBAPPS=true ;;
    -*)
      echo "makebase: unknown option $word"
      exit 1 ;;
    *) [ -n "$BASE_TGT" ] || BASE_TGT="$word" ;;
  esac
done
if [ -z "$BASE_TGT" ]; then
  echo "Usage: makebase <path-to-target-directory>"
  exit 1
fi
case $BASE_TGT in /*) ;; *) BASE_TGT="$PWD/$BASE_TGT" ;; esac

if [ -d "$BASE_TGT" ]; then
  echo "Target directory exists"
  if [ -n "$(ls -A "$BASE_TGT")" ]; then
    echo "Target directory is not empty"
    exit 1
  fi
else
  mkdir -p "$BASE_TGT" || exit 1
fi
for dir in bin conf lib logs temp webapps work; do
  mkdir "$BASE_TGT/$dir" || exit 1
done
if [ "$COPY_WEBAPPS" = true ]; then
  echo "Copying webapps"
  cp -r "$CATALINA_HOME/webapps" "$BASE_TGT/"
  cp -r "$CATALINA_HOME/conf" "$BASE_TGT/"
else
  for file in "$CATALINA_HOME"/conf/*; do
    [ -f "$file" ] && cp "$file" "$BASE_TGT/conf/"
  done
  mkdir "$BASE_TGT/webapps/ROOT"
fi
[ -f "$CATALINA_HOME/bin/setenv.sh" ] && cp "$CATALINA_HOME/bin/setenv.sh" "$BASE_TGT/bin/"

EMPTY=
[ "$COPY_WEBAPPS" = true ] || EMPTY="
webapps/ROOT is empty, so / answers 404 until you put an application there.
"
cat <<DONE
Created CATALINA_BASE directory at $BASE_TGT

You can launch the new instance by running:
    export CATALINA_HOME=$CATALINA_HOME
    export CATALINA_BASE=$BASE_TGT
    \$CATALINA_HOME/bin/catalina.sh run

or, with the catalina command: cd $BASE_TGT; catalina start
$EMPTY
Attention: The ports in conf/server.xml might be bound by a
    different instance. Please review your config files
    and update them as necessary.

DONE
