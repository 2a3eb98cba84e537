#!/bin/sh
# Installs what the tests need and runs them all: style, types, tests. Arguments go to pytest.
#
# The modules of tests are shared out to as many processes as there are cores, four at most: most tests wait for a
# server, or for another one to notice something. With -n0 there is one process.
#
#   CI=true           a test that cannot run fails instead of being skipped
#   CATALINA_NO_APT=1 do not install Debian packages
#
# The last line is the test runner's own.

cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
CATALINA_HOME=$PWD
export CATALINA_HOME
unset CATALINA_PYTHON CATALINA_BASE CATALINA_OPTS JAVA_OPTS CATALINA_PID CATALINA_OUT

# Debian package, and a file or program of it that tells that it is there.
PACKAGES="
python3-venv          -
libtomcat10-java      /usr/share/java/tomcat10-catalina-ha.jar
tomcat10-common       /usr/share/tomcat10/bin/bootstrap.jar
libjolokia-core-java  /usr/share/java/jolokia-core.jar
libjson-simple-java   /usr/share/java/json-simple.jar
tomcat10-admin        /usr/share/tomcat10-admin/manager/WEB-INF/web.xml
default-jdk-headless  javac
gcc                   cc
apache2               /usr/sbin/apache2
libapache2-mod-jk     /usr/lib/apache2/modules/mod_jk.so
nginx-light           /usr/sbin/nginx
haproxy               /usr/sbin/haproxy
chromium              chromium
chromium-driver       chromedriver
redis-server          redis-server
postgresql            /usr/lib/postgresql
wrk                   wrk
apache2-utils         ab
nghttp2-client        h2load
slowhttptest          slowhttptest
litmus                litmus
iproute2              ip
nftables              /usr/sbin/nft
curl                  curl
openssl               openssl
zabbix-java-gateway   /usr/sbin/zabbix-java-gateway.jar
xvfb                  Xvfb
visualvm              visualvm
default-jdk           jconsole
procps                ps
"

# The Java Tomcat that the tests compare with. Debian's security updates have it; an older one may be there already.
TOMCAT_VERSION=10.1.60

present() {
  case $1 in
    libtomcat10-java | tomcat10-common)
      dpkg --compare-versions "$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo 0)" ge "$TOMCAT_VERSION" || return 1
      ;;
  esac
  case $2 in
    -) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    /*) [ -e "$2" ] ;;
    *) command -v "$2" >/dev/null 2>&1 ;;
  esac
}

missing_packages() {
  echo "$PACKAGES" | while read -r package sign; do
    [ -n "$package" ] && ! present "$package" "$sign" && printf '%s ' "$package"
  done
}

# Servers that a package starts by itself would take ports that the tests look at: they are not started.
install_packages() {
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Not installed, and this user cannot install them: $*" >&2
    return 0
  fi
  echo "Installing $*" >&2
  policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made_policy=1; }
  export DEBIAN_FRONTEND=noninteractive
  apt_log=$(mktemp)
  # The lists first: those of an image may be older than the updates that are wanted.
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$apt_log" 2>&1 ||
    apt-get install -y -qq --no-install-recommends "$@" >"$apt_log" 2>&1 ||
    tail -5 "$apt_log" >&2
  rm -f "$apt_log"
  [ -z "$made_policy" ] || rm -f "$policy"
}

if [ "$CATALINA_NO_APT" != 1 ]; then
  # One at a time: apt-get itself does not wait, and two runs may begin together.
  exec 8>>"${TMPDIR:-/tmp}/catalina-test-packages.lock"
  flock 8
  lacking=$(missing_packages)
  [ -z "$lacking" ] || install_packages $lacking
  exec 8>&-
fi

. bin/setpython.sh
if [ ! -f .venv/.test-installed ] || [ pyproject.toml -nt .venv/.test-installed ]; then
  echo "Installing what the tests need" >&2
  if ! .venv/bin/python -m pip install --disable-pip-version-check -e '.[test]' >.venv/setup.log 2>&1; then
    cat .venv/setup.log >&2
    exit 1
  fi
  # A client in JavaScript; without it one test is left out.
  command -v npm >/dev/null 2>&1 &&
    npm install --silent --no-audit --no-fund --prefix .venv jolokia.js@2.6.1 >>.venv/setup.log 2>&1
  touch .venv/.test-installed
fi
# Web frameworks with their source archives, beside the environment. Without them the tests say what they lack.
.venv/bin/python -m tests.support.frameworks >>.venv/setup.log 2>&1 || tail -1 .venv/setup.log >&2

failed=0
.venv/bin/ruff check . || failed=1
.venv/bin/ruff format --check . || failed=1
.venv/bin/mypy || failed=1
[ "$failed" -eq 0 ] || echo "Style or types are not clean, see above" >&2
.venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder "$@" || failed=1
exit "$failed"
