//! The law of the time zone, in a copy of this machine's root.

use super::super::Timezone;
use super::edits::printed;
use super::system::copy;
use super::*;

#[test]
#[ignore = "needs root"]
fn the_time_zone() {
    let place = copy();
    let made = "rm -rf /usr/share/zoneinfo && mkdir -p /usr/share/zoneinfo/Etc && cd \
        /usr/share/zoneinfo && echo TZif2 >Etc/UTC && echo TZif2 >UTC && ln -s UTC Zulu && ln -sf \
        /usr/share/zoneinfo/UTC /etc/localtime";
    printed(&place, &format!("{made}; echo UTC >/etc/timezone"));
    let state = "readlink /etc/localtime; cat /etc/timezone; date -d @0 +%H:%M";
    place.law(Timezone::new("UTC"), false);
    place.law(Timezone::new("Etc/UTC"), true);
    assert_eq!(printed(&place, state), "/usr/share/zoneinfo/Etc/UTC\nEtc/UTC\n00:00\n");
    place.law_of_unknown(Timezone::new("Etc/UTC"), false);
    // links are zones too
    place.law_of_unknown(Timezone::new("Zulu"), true);
    // as systemd links them
    printed(&place, "ln -sf ../usr/share/zoneinfo/Etc/UTC /etc/localtime; rm /etc/timezone");
    place.law(Timezone::new("Etc/UTC"), false);
    place.law_of_unknown(Timezone::new("Etc/UTC"), false);
    // a copy gives way, and systems without /etc/timezone do not get it
    printed(&place, "cp --remove-destination /usr/share/zoneinfo/UTC /etc/localtime");
    place.law(Timezone::new("UTC"), true);
    assert_eq!(
        printed(&place, "readlink /etc/localtime; ls /etc/timezone 2>&1 || :"),
        "/usr/share/zoneinfo/UTC\nls: cannot access '/etc/timezone': No such file or directory\n"
    );
    printed(&place, "rm /etc/localtime");
    place.law_of_unknown(Timezone::new("UTC"), true);

    let said = place.refuses(Timezone::new("Mars/Base"));
    let wanted = "there is no time zone Mars/Base on this node: no \
        /usr/share/zoneinfo/Mars/Base; check its name, or declare package(\"tzdata\") before it";
    assert_eq!(said, wanted);
    assert_eq!(
        place.refuses(Timezone::new("Etc")),
        "Etc is not a time zone: /usr/share/zoneinfo/Etc is a directory"
    );
    let action = place.prepared(Timezone::new("Mars/Base"));
    let change = action
        .plan(&mut NodeState::new(place.observe(&action).os))
        .expect("nothing is known")
        .expect("it may change");
    assert_eq!(place.apply(&change).expect_err("there is none"), format!("{wanted}\n"));
    assert_eq!(printed(&place, "readlink /etc/localtime"), "/usr/share/zoneinfo/UTC\n");
}
