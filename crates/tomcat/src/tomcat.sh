# Makes Tomcat's configuration files of their parts, and checks them. Written by pallet.
#
# tomcat is-rendered|render TOMCAT INSTANCE connectors|users
# tomcat is-rendered|render TOMCAT INSTANCE contexts NAME
# tomcat clean TOMCAT INSTANCE applications NAME
# tomcat xml FILE
set -eu
umask 077

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# xml FILE [free]: the XML of a part; with free, connectors take any port that is free
xml() {
  awk -v free="${2-}" '
    function escape(text) {
      gsub(/&/, "\\&amp;", text)
      gsub(/</, "\\&lt;", text)
      gsub(/>/, "\\&gt;", text)
      gsub(/"/, "\\&quot;", text)
      gsub(/\047/, "\\&#39;", text)
      return text
    }
    function bad(why) {
      failed = 1
      print FILENAME ", line " FNR ": " why | "cat >&2"
      close("cat >&2")
      exit 1
    }
    /^<[A-Za-z]+$/ {
      if (tag) print ">"
      printf "<%s", substr($0, 2)
      names[++depth] = substr($0, 2)
      tag = 1
      next
    }
    $0 == ">" {
      if (!depth) bad("there is nothing to end")
      if (tag) print "/>"
      else print "</" names[depth] ">"
      depth--
      tag = 0
      next
    }
    /^[A-Za-z][A-Za-z0-9_.:-]* / {
      if (!tag) bad("an attribute without an element")
      value = substr($0, index($0, " ") + 1)
      if (free && names[depth] == "Connector" && $1 == "port") value = 0
      printf " %s=\"%s\"", $1, escape(value)
      next
    }
    { bad("a value has more than one line") }
    END {
      if (!failed && depth) bad("an element has no end")
    }' "$1"
}

server() {
  cat <<'HEAD'
<?xml version="1.0" encoding="UTF-8"?>
<!-- written by pallet: tomcat.connector -->
<Server port="-1" shutdown="SHUTDOWN">
<Listener className="org.apache.catalina.startup.VersionLoggerListener"/>
<Listener className="org.apache.catalina.core.JreMemoryLeakPreventionListener"/>
<Listener className="org.apache.catalina.mbeans.GlobalResourcesLifecycleListener"/>
<Listener className="org.apache.catalina.core.ThreadLocalLeakPreventionListener"/>
<GlobalNamingResources>
<Resource name="UserDatabase" auth="Container" type="org.apache.catalina.UserDatabase"
 factory="org.apache.catalina.users.MemoryUserDatabaseFactory" pathname="conf/tomcat-users.xml"/>
</GlobalNamingResources>
<Service name="Catalina">
HEAD
  found=
  for part in "$parts/connectors"/*; do
    [ -f "$part" ] || continue
    found=1
    xml "$part" "${1-}" || return 1
  done
  [ -n "$found" ] || fail "$name has no connector left; declare one"
  cat <<'TAIL'
<Engine name="Catalina" defaultHost="localhost">
<Realm className="org.apache.catalina.realm.LockOutRealm">
<Realm className="org.apache.catalina.realm.UserDatabaseRealm" resourceName="UserDatabase"/>
</Realm>
<Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false">
<Valve className="org.apache.catalina.valves.ErrorReportValve" showReport="false" showServerInfo="false"/>
<Valve className="org.apache.catalina.valves.AccessLogValve" directory="logs"
 prefix="localhost_access_log" suffix=".txt" pattern="%h %l %u %t &quot;%r&quot; %s %b"/>
</Host>
</Engine>
</Service>
</Server>
TAIL
}

users() {
  cat <<'HEAD'
<?xml version="1.0" encoding="UTF-8"?>
<!-- written by pallet: tomcat.user -->
<tomcat-users xmlns="http://tomcat.apache.org/xml" version="1.0">
HEAD
  for part in "$parts/users"/*; do
    [ -f "$part" ] || continue
    xml "$part" || return 1
  done
  echo '</tomcat-users>'
}

context() {
  echo '<?xml version="1.0" encoding="UTF-8"?>'
  echo '<!-- written by pallet: tomcat.context -->'
  xml "$parts/contexts/$context"
}

content() {
  case $kind in
    connectors) server ;;
    users) users ;;
    contexts) context ;;
  esac
}

is_rendered() {
  [ -f "$file" ] && [ ! -L "$file" ] && [ "$(stat -c '%U:%G %a' -- "$file")" = "$owner" ] &&
    wanted=$(content) && [ "$(cat -- "$file")" = "$wanted" ]
}

# Tomcat reads the file as it will, with free ports, since it may run on its own
check_server() {
  mkdir -- "$work/base" "$work/base/conf" "$work/base/logs" "$work/base/temp" "$work/base/webapps"
  for part in "$conf"/*; do
    case ${part##*/} in pallet | Catalina | server.xml) ;; *) cp -RL -- "$part" "$work/base/conf/" ;; esac
  done
  server free >"$work/base/conf/server.xml"
  chown -R tomcat:tomcat "$work/base"
  chmod 0711 "$work"
  (
    cd / && set +u
    . "/etc/default/$name"
    . "/usr/libexec/$tomcat/tomcat-locate-java.sh"
    export CATALINA_HOME="/usr/share/$tomcat" CATALINA_BASE="$work/base" JAVA_HOME
    export JAVA_OPTS='-Djava.awt.headless=true -XX:-UsePerfData -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.apache.catalina.startup.EXIT_ON_INIT_FAILURE=true'
    runuser -u tomcat -- "$CATALINA_HOME/bin/catalina.sh" configtest
  ) >"$work/said" 2>&1 && return
  # what Tomcat says of itself is not of interest
  words=$(grep -E '^(.* )?(SEVERE|Caused by|[a-zA-Z.]*(Exception|Error))' "$work/said" | head -n 20)
  printf '%s\n' "${words:-$(tail -n 20 "$work/said")}" >&2
  return 1
}

render() {
  work=$(mktemp -d "$conf/.pallet.XXXXXX")
  trap 'rm -rf -- "$work"' EXIT
  if [ "$kind" = connectors ]; then
    check_server || fail "Tomcat refuses the connectors of $name; server.xml is as it was"
  fi
  content >"$work/file"
  chown "${owner% *}" "$work/file"
  chmod "${owner#* }" "$work/file"
  directory=${file%/*}
  [ -d "$directory" ] || mkdir -m 0755 -- "$directory"
  # Tomcat may write to the directory above that of contexts
  cd -P -- "$directory"
  [ "$(pwd -P)" = "$directory" ] && [ "$(stat -c %u .)" = 0 ] ||
    fail "$directory belongs to another user than root, or is a link"
  mv -fT -- "$work/file" "./${file##*/}"
}

job=$1
shift
if [ "$job" = xml ]; then
  xml "$@"
  exit
fi
tomcat=$1 name=$2 kind=$3 context=${4-}
conf=/etc/$name parts=/etc/$name/pallet
owner='root:tomcat 640'
case $kind in
  connectors) file=$conf/server.xml ;;
  users) file=$conf/tomcat-users.xml ;;
  contexts) file=$conf/Catalina/localhost/$context.xml ;;
esac
case $job in
  is-rendered) is_rendered ;;
  render) render ;;
  # as tomcat, whose directory it is
  clean) runuser -u tomcat -- rm -rf -- "/var/cache/$name/Catalina/localhost/$context" ;;
  *) fail "there is no $job" ;;
esac
