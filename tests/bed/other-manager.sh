#!/bin/bash
# other-manager.sh ROOT MANAGER   makes a Debian root look like a system of dnf, zypper or pacman: its os-release, the commands of apt and dpkg gone, and
# in /srv/bed-repository the packages bed-alpha and bed-demo (which needs the other) in versions 1.0 and 1.1
set -euo pipefail
root=$1 manager=$2
repository=$root/srv/bed-repository

case $manager in
  dnf) release='ID=rocky\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Debian that looks like Rocky Linux"\n' ;;
  zypper) release='ID=opensuse-leap\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\nPRETTY_NAME="Debian that looks like openSUSE"\n' ;;
  pacman) release='ID=arch\nPRETTY_NAME="Debian that looks like Arch Linux"\n' ;;
esac
rm -rf "$repository" "$root/etc/os-release"
mkdir -p "$repository"
printf "$release" >"$root/etc/os-release"

if [ "$manager" = pacman ]; then
  chroot "$root" sh -e <<'MAKE'
mkdir -p /var/lib/pacman /var/cache/pacman/pkg
make() { # NAME VERSION DEPENDS
  rm -rf /build
  mkdir -p "/build/usr/share/$1"
  echo "$2" >"/build/usr/share/$1/version"
  printf 'pkgname = %s\npkgver = %s-1\npkgdesc = test package\narch = any\nsize = 4\n%s' "$1" "$2" "$3" >/build/.PKGINFO
  (cd /build && bsdtar -czf "/srv/bed-repository/$1-$2-1-any.pkg.tar.gz" --uid 0 --gid 0 .PKGINFO usr)
}
for version in 1.0 1.1; do
  make bed-alpha "$version" ''
  make bed-demo "$version" 'depend = bed-alpha
'
done
repo-add -q /srv/bed-repository/bed.db.tar.gz /srv/bed-repository/*-1.1-*.pkg.tar.gz
rm -rf /build
printf '[options]\nArchitecture = auto\nSigLevel = Never\n[bed]\nServer = file:///srv/bed-repository\n' >/etc/pacman.conf
# the first question makes the database, which every real system has
pacman -Q >/dev/null || test -e /var/lib/pacman/local/ALPM_DB_VERSION
MAKE
else
  chroot "$root" sh -e <<'MAKE'
# Debian's rpm keeps its database in the home directory
mkdir -p /etc/rpm /var/lib/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.bed
rpm --initdb
make() { # NAME VERSION REQUIRES
  {
    printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: test package\nLicense: MIT\nBuildArch: noarch\nAutoReqProv: no\n%s\n%%description\ntest package\n' "$1" "$2" "$3"
    printf '%%install\nmkdir -p %%{buildroot}/usr/share/%s\necho %s >%%{buildroot}/usr/share/%s/version\n%%files\n/usr/share/%s\n' "$1" "$2" "$1" "$1"
  } >/spec
  rpmbuild --quiet -bb --define '_buildhost bed' --define '__os_install_post %{nil}' --define '_rpmdir /srv/bed-repository' --define '_topdir /rpmbuild' /spec
}
for version in 1.0 1.1; do
  make bed-alpha "$version" ''
  make bed-demo "$version" 'Requires: bed-alpha'
done
createrepo_c -q /srv/bed-repository
rm -rf /spec /rpmbuild
MAKE
  case $manager in
    dnf)
      mkdir -p "$root/etc/yum.repos.d"
      printf '[bed]\nname=bed\nbaseurl=file:///srv/bed-repository\ngpgcheck=0\n' >"$root/etc/yum.repos.d/bed.repo"
      ;;
    zypper)
      mkdir -p "$root/etc/zypp/repos.d"
      printf '[bed]\nname=bed\nenabled=1\nautorefresh=0\nbaseurl=dir:///srv/bed-repository\ntype=rpm-md\ngpgcheck=0\n' >"$root/etc/zypp/repos.d/bed.repo"
      ;;
  esac
fi
rm -rf "$root"/usr/bin/{apt,apt-get,apt-cache,apt-config,apt-mark,dpkg,dpkg-query,dpkg-deb}
