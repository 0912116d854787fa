//! The law of modules of the kernel, in a copy of this machine's root. The kernel itself is left
//! alone: stand-ins take the place of modprobe and of what the kernel tells.

use super::super::KernelModule;
use super::edits::{OverlayPlace, printed};
use super::*;
use crate::script::{MODULES, quote};

/// What the kernel tells is in plain files. The stand-in of modprobe reads the options that it
/// should, and knows the modules `law_one`, `law_two` and `busy`, which cannot be unloaded.
const STAND_IN: &str = r#"
mkdir -p /kernel /sys/module/law_built /sys/module/busy /etc/modprobe.d /etc/modules-load.d
rm -f /etc/modprobe.d/* /etc/modules-load.d/*
echo live >/sys/module/busy/initstate
mount --bind /proc /kernel
mount -t tmpfs tmpfs /proc
for entry in /kernel/*; do
  case $entry in */modules) ;; *) ln -s "$entry" /proc ;; esac
done
echo 'busy 16384 1 - Live 0x0' >/proc/modules
modules=/lib/modules/$(uname -r)
mkdir -p "$modules"
printf 'kernel/drivers/%s: kernel/x.ko\n' law-one.ko.xz law_two.ko busy.ko.zst >"$modules/modules.dep"
printf 'kernel/drivers/law-also.ko\n' >"$modules/modules.builtin"
cat >/usr/local/sbin/modprobe <<'X'
#!/bin/sh
echo "$*" >>/tmp/calls
unload=
if [ "$1" = -r ]; then unload=1; shift; fi
case $1 in law_one | law_two | busy) ;; *) echo "modprobe: FATAL: Module $1 not found." >&2; exit 1 ;; esac
if [ -n "$unload" ]; then
  if [ "$1" = busy ]; then echo 'modprobe: FATAL: Module busy is in use.' >&2; exit 1; fi
  rm -r "/sys/module/$1"
  sed -i "/^$1 /d" /proc/modules
else
  mkdir -p "/sys/module/$1"
  echo live >"/sys/module/$1/initstate"
  cat /etc/modprobe.d/*.conf 2>/dev/null | sed -n "s/^options $1 //p" >/tmp/options
  echo "$1 16384 0 - Live 0x0" >>/proc/modules
fi
X
chmod 755 /usr/local/sbin/modprobe
"#;

#[test]
#[ignore = "needs root"]
fn modules_of_the_kernel() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    printed(place, STAND_IN);
    let calls = || printed(place, "touch /tmp/calls; cat /tmp/calls; rm /tmp/calls");
    let files = "cd /etc; for file in modules-load.d/* modprobe.d/*; do [ ! -f $file ] || { stat \
    -c \
        '%n %U %G %a' $file; cat $file; }; done";
    let one = || KernelModule::new("law-one");
    place.law(one(), true);
    assert_eq!(calls(), "law_one\n");
    assert_eq!(printed(place, files), "modules-load.d/law_one.conf root root 644\nlaw_one\n");
    place.law(one(), false);
    place.law_of_unknown(one(), false);
    // parameters alone do not unload it
    place.law(one().parameter("b", "1 2").parameter("a", "x"), true);
    assert_eq!(calls(), "");
    assert_eq!(
        printed(place, files),
        "modules-load.d/law_one.conf root root 644\nlaw_one\n\
         modprobe.d/pallet-law_one.conf root root 644\noptions law_one a=x b=\"1 2\"\n"
    );
    let other = || one().parameter("a", "y").reload();
    place.law(other(), true);
    assert_eq!(
        (calls().as_str(), printed(place, "cat /tmp/options").as_str()),
        ("-r law_one\nlaw_one\n", "a=y\n")
    );
    place.law(other(), false);
    place.law_of_unknown(other(), false);
    place.law_of_unknown(one().parameter("a", "z").reload(), true);
    assert_eq!(
        (calls().as_str(), printed(place, "cat /tmp/options").as_str()),
        ("-r law_one\nlaw_one\n", "a=z\n")
    );
    place.law_of_unknown(one().reload(), true);
    assert_eq!(calls(), "-r law_one\nlaw_one\n");
    place.law(one().blacklisted(), true);
    assert_eq!(
        printed(place, files),
        "modprobe.d/pallet-law_one.conf root root 644\nblacklist law_one\n"
    );
    place.law(one().blacklisted(), false);
    place.law_of_unknown(one().blacklisted(), false);
    place.law_of_unknown(one(), true);
    place.law(one().absent(), true);
    place.law(one().absent(), false);
    place.law_of_unknown(one().absent(), false);
    assert_eq!(
        (calls().as_str(), printed(place, files).as_str()),
        ("-r law_one\nlaw_one\n-r law_one\n", "")
    );
    place.law_of_unknown(one().not_persistent(), true);
    assert_eq!(printed(place, files), "");
    place.law_of_unknown(one().absent(), true);
}

#[test]
#[ignore = "needs root"]
fn modules_that_are_built_in_count_as_loaded() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    printed(place, STAND_IN);
    for name in ["law_built", "law-also"] {
        let module = || KernelModule::new(name);
        place.law(module(), true);
        place.law(module(), false);
        place.law_of_unknown(module(), false);
        let expected = format!(
            "{} is built into the kernel of this node: it cannot be unloaded, and takes its \
             parameters from the kernel's command line alone",
            name.replace('-', "_")
        );
        for module in [module().absent(), module().blacklisted(), module().parameter("a", "x")] {
            assert_eq!(place.refuses(module.clone()), expected);
            assert_eq!(unknown(place, module), format!("{expected}\n"));
        }
    }
    assert_eq!(printed(place, "ls /tmp/calls 2>/dev/null || :"), "");
}

#[test]
#[ignore = "needs root"]
fn modules_that_cannot_be_loaded_or_unloaded() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    printed(place, STAND_IN);
    let release = printed(place, "uname -r");
    let release = release.trim();
    let said = format!(
        "this node cannot load the kernel module law_none: its kernel {release} has no module of \
         that name; check the name, or install the package that has it"
    );
    assert_eq!(place.refuses(KernelModule::new("law-none")), said);
    assert_eq!(unknown(place, KernelModule::new("law-none")), format!("{said}\n"));
    // it gets no file for boot
    assert_eq!(printed(place, "ls /etc/modules-load.d"), "");
    let said = place.fails(KernelModule::new("busy").absent());
    assert_eq!(
        said,
        "cannot unload the kernel module busy: modprobe: FATAL: Module busy is in use.\n"
    );
    // what other files say at boot
    printed(
        place,
        "mkdir -p /usr/lib/modprobe.d; echo ' blacklist law-one # why' \
         >/usr/lib/modprobe.d/law.conf\n\
         echo '#law_two' >>/etc/modules; echo law-two >>/etc/modules",
    );
    let said = "/usr/lib/modprobe.d/law.conf blacklists the kernel module law_one, so it would not \
        be loaded when the node starts; remove it there before";
    assert_eq!(place.refuses(KernelModule::new("law_one")), said);
    assert_eq!(unknown(place, KernelModule::new("law_one")), format!("{said}\n"));
    place.law(KernelModule::new("law_one").not_persistent(), true);
    let said = "/etc/modules loads the kernel module law_two when the node starts; remove it there \
        before";
    assert_eq!(place.refuses(KernelModule::new("law_two").absent()), said);
    assert_eq!(unknown(place, KernelModule::new("law_two").absent()), format!("{said}\n"));
    // a file of /etc takes the place of one of /usr/lib
    printed(place, "ln -s /dev/null /etc/modprobe.d/law.conf");
    place.law(KernelModule::new("law_one"), true);
}

/// Why the change fails on the node if nothing was known before.
fn unknown(place: &Place, module: KernelModule) -> String {
    let module = place.prepared(module);
    let change = module
        .plan(&mut NodeState::new(place.observe(&module).os))
        .expect("nothing is known")
        .expect("it may change");
    place.apply(&change).expect_err("the node cannot")
}

#[test]
#[ignore = "needs root"]
fn containers_may_not_load_modules() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    printed(place, STAND_IN);
    let told = |enter: &str, call: &str| {
        let script = quote(&format!("set -e\n{MODULES}{call}"));
        printed(place, &format!("{enter} sh -c {script}"))
    };
    let container = "it may not change the kernel that it runs on, as in a container; declare this \
        for the machine that it runs on\n";
    assert_eq!(told("", "may_not_change_modules"), "");
    for call in ["may_not_change_modules", "module_lacks law_one"] {
        assert_eq!(told("setpriv --bounding-set -sys_module", call), container);
        // no user namespace can be made in a copy
        let namespace = std::process::Command::new("unshare")
            .args(["--user", "--map-root-user", "sh", "-c", &format!("{MODULES}{call}")])
            .output()
            .expect("unshare is there");
        assert_eq!(String::from_utf8_lossy(&namespace.stdout), container);
    }
    assert_eq!(
        told("setpriv --reuid 4711 --clear-groups", "may_not_change_modules"),
        "Pallet is not root there\n"
    );
    printed(place, "rm /usr/local/sbin/modprobe");
    let without = printed(place, "command -v modprobe || :");
    if without.is_empty() {
        assert_eq!(
            told("", "may_not_change_modules"),
            "it has no modprobe; declare package(\"kmod\") before\n"
        );
    }
    printed(place, "rm /proc/modules");
    assert_eq!(told("", "may_not_change_modules"), "its kernel has no loadable modules\n");
}
