# package_lists_age MANAGER: prints the age in seconds of the package manager's lists of packages; nothing if there are none, or others are to be fetched
package_lists_age() {
  # those that are older than what says where packages come from do not count
  if [ -e /var/lib/pallet/package-sources ]; then return 0; fi
  case $1 in
    apt) set -- /var/lib/apt/lists/*_dists_* /var/lib/apt/lists/*Release /var/lib/apt/lists/*Packages* ;;
    dnf | yum) set -- /var/cache/dnf/*/repodata /var/cache/yum/*/*/*/repomd.xml /var/cache/libdnf5/*/repodata ;;
    zypper) set -- /var/cache/zypp/solv/*/solv /var/cache/zypp/raw/*/repodata ;;
    pacman) set -- /var/lib/pacman/sync/*.db ;;
    apk) set -- /var/cache/apk/APKINDEX.*.tar.gz /etc/apk/cache/APKINDEX.*.tar.gz /lib/apk/db/APKINDEX.* ;;
    *) return 0 ;;
  esac
  lists=''
  for list do
    if [ -e "$list" ]; then lists=yes; fi
  done
  [ -n "$lists" ] || return 0
  # a list keeps the time of its server, so only a mark tells when it was fetched: Pallet's, or that of the system's own timer
  newest=0
  for time in $(stat -c %Y /var/lib/pallet/package-lists /var/lib/apt/periodic/update-success-stamp /var/cache/dnf/last_makecache 2>/dev/null) \
    $(stat -c %Y /var/lib/apt/lists/partial 2>/dev/null); do
    if [ "$time" -gt "$newest" ]; then newest=$time; fi
  done
  echo $(($(date +%s) - newest))
}
