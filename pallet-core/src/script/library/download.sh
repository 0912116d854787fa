# Fetching from URLs, with curl or wget. No list of processes shows headers, credentials or queries.

# download TO SHOWN URL INSECURE PROXY PRIVATE HEADER...: fetches what stands at URL into the file TO. SHOWN is the URL as others may see it;
# PRIVATE is not empty if that is not all of it. What may hold a quote comes quoted for curl's configuration.
download() {
  if command -v curl >/dev/null 2>&1; then
    {
      printf 'url = "%s"\n' "$3"
      if [ -n "$4" ]; then echo insecure; fi
      if [ -n "$5" ]; then printf 'proxy = "%s"\n' "$5"; fi
      shift 6
      for header do printf 'header = "%s"\n' "$header"; done
    } | curl -fgLsS --retry 5 --connect-timeout 30 --speed-limit 1 --speed-time 60 -K - -o "$1" >&2 || fail "cannot download $2"
  elif [ -n "$6" ]; then
    fail "cannot download $2: headers, credentials and queries need curl; install it with package(\"curl\") before"
  elif command -v wget >/dev/null 2>&1; then
    (
      if [ -n "$5" ]; then export http_proxy="$5" https_proxy="$5" ftp_proxy="$5"; fi
      set -- "$1" "$2" "$3" ${4:+--no-check-certificate}
      to=$1 shown=$2 url=$3
      shift 3
      # that of busybox knows less, and some of its builds crash on a timeout
      if wget --version >/dev/null 2>&1; then set -- -nv --tries=5 --timeout=60 "$@"; else set -- -q "$@"; fi
      wget "$@" -O "$to" -- "$url" >&2 || fail "cannot download $shown"
    )
  else
    fail "cannot download $2: there is neither curl nor wget; install one with package(\"curl\") before"
  fi
}

# has_checksum FILE SHOWN TOOL DIGEST: refuses a file that does not have the digest
has_checksum() {
  found=$("$3" <"$1")
  if [ "${found%% *}" != "$4" ]; then fail "$2 has the ${3%sum} digest ${found%% *}, not $4 as expected"; fi
}

# has_listed_checksum FILE SHOWN NAME LIST: refuses a file that does not have the digest that LIST gives for NAME. LIST has the form of sha256sum's,
# or of BSD's, or is nothing but the digest; the length of the digest tells its kind
has_listed_checksum() {
  listed=
  list=$(printf %s "$4" | tr -d '\r')
  while IFS= read -r line; do
    case $line in
      *' ('*') = '*) sum=${line##* = } of=${line#*\(} of=${of%\) = *} ;;
      *) sum=${line%%[!0-9A-Fa-f]*} of=${line#"$sum"} of=${of#"${of%%[!	 *]*}"} ;;
    esac
    case $of in
      "$3" | */"$3")
        listed=$sum
        break
        ;;
      '') listed=$sum ;;
    esac
  done <<END
$list
END
  listed=$(printf %s "$listed" | tr A-F a-f)
  case ${#listed} in
    32) has_checksum "$1" "$2" md5sum "$listed" ;;
    40) has_checksum "$1" "$2" sha1sum "$listed" ;;
    64) has_checksum "$1" "$2" sha256sum "$listed" ;;
    128) has_checksum "$1" "$2" sha512sum "$listed" ;;
    *) fail "checksum_url gives no digest of $3" ;;
  esac
}

# ensure_download KEY PATH OWNER GROUP MODE VERIFY [VERSIONS [OVERWRITE]]: as ensure_content, where KEY is `md5:` with the digest of the content,
# or names where it comes from
ensure_download() {
  key=$1 path=$2
  shift 2
  is_right() {
    case $key in
      md5:*) [ "$(md5sum <"$1")" = "${key#md5:}  -" ] ;;
      *) came_from "$path" "$key" ;;
    esac
  }
  replaced='' remember=1
  ensure_content "$path" '' "$@"
  remember=''
  if [ -z "$replaced" ]; then return; fi
  case $key in
    md5:*) forget_origin "$path" ;;
    *) set_origin "$path" "$key" ;;
  esac
}

# came_from PATH ORIGIN: Pallet wrote the file, which has $digest, from ORIGIN, and it is as it was written. Where nothing can be remembered, that
# is taken for true.
came_from() {
  if [ ! -w /var/lib/pallet ]; then return 0; fi
  origin=
  [ -r "/var/lib/pallet/origins$1" ] && read -r origin <"/var/lib/pallet/origins$1"
  if [ "$origin" != "$2" ]; then return 1; fi
  was_written "$1"
  [ -z "$written" ] || [ "$written" = "$digest" ]
}

# set_origin PATH ORIGIN: remembers where the content of a file came from
set_origin() {
  if [ ! -w /var/lib/pallet ]; then return; fi
  (
    umask 077
    of=/var/lib/pallet/origins$1
    if [ ! -d "${of%/*}" ]; then mkdir -p -- "${of%/*}"; fi
    printf '%s\n' "$2" >"$of"
  )
}

# forget_origin PATH: the content of a file came from elsewhere
forget_origin() {
  if [ -w "/var/lib/pallet/origins$1" ]; then rm -f -- "/var/lib/pallet/origins$1"; fi
}
