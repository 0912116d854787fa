//! Which declarations undo each other, and which do not.

use super::super::mount::MountAction;
use super::super::package::PackageAction;
use super::super::user::UserAction;
use super::super::*;
use super::*;
use serde_json::Value;
use std::path::Path;

/// What the second action undoes of the first, if anything.
fn undone(first: Declared, second: Declared) -> Option<String> {
    let mut claimed = ClaimIndex::default();
    assert_eq!(claimed.add(&first, &[]), None);
    claimed.add(&second, &[first]).map(|(at, what)| {
        assert_eq!(at, 0);
        what
    })
}

struct Nothing;

impl Workspace for Nothing {
    fn read(&self, _: &Path) -> Result<Vec<u8>, ActionError> {
        Err(ActionError::node("there is nothing"))
    }
    fn digest(&self, _: &Path) -> Result<(String, u64, std::path::PathBuf), ActionError> {
        Err(ActionError::node("there is nothing"))
    }
    fn list(&self, _: &Path) -> Result<Vec<Listed>, ActionError> {
        Err(ActionError::node("there is nothing"))
    }
    fn render(&self, _: &str, _: &str, _: &Value) -> Result<String, ActionError> {
        Err(ActionError::node("there is nothing"))
    }
}

fn of<A: Action>(mut action: A) -> Declared {
    action.prepare(&Nothing).expect("the arguments are right");
    Declared::of(action)
}

#[track_caller]
fn both<A: Action, B: Action>(one: A, other: B, what: &str) {
    assert_eq!(undone(of(one.clone()), of(other.clone())).as_deref(), Some(what));
    assert_eq!(undone(of(other.clone()), of(one.clone())).as_deref(), Some(what));
    assert_eq!(undone(of(one.clone()), of(one)), None);
    assert_eq!(undone(of(other.clone()), of(other)), None);
}

#[track_caller]
fn neither<A: Action, B: Action>(one: A, other: B) {
    assert_eq!(undone(of(one.clone()), of(other.clone())), None);
    assert_eq!(undone(of(other), of(one)), None);
}

const KEY: &str = "ssh-ed25519 AAAAC3Nz+/a= ann";
const OTHER: &str = "ssh-rsa AAAAB3 bob";

#[test]
fn fault_08_one_key_with_two_options() {
    let key = |options: &str| AuthorizedKey::new("dep", KEY).options(options);
    both(key("no-pty"), key("restrict"), "how the key ann may log in as dep");
    both(key("no-pty"), AuthorizedKey::new("dep", KEY), "how the key ann may log in as dep");
    both(
        key("no-pty"),
        AuthorizedKey::new("dep", KEY).absent(),
        "how the key ann may log in as dep",
    );
    both(
        AuthorizedKey::new("dep", KEY).exclusive(),
        AuthorizedKey::new("dep", OTHER),
        "the keys of dep",
    );
    both(
        AuthorizedKey::new("dep", KEY).exclusive(),
        AuthorizedKey::new("dep", OTHER).exclusive(),
        "the keys of dep",
    );
    neither(AuthorizedKey::new("dep", KEY).exclusive(), AuthorizedKey::new("dep", OTHER).absent());
    neither(AuthorizedKey::new("dep", KEY).exclusive(), AuthorizedKey::new("app", OTHER));
    // the comment is not part of the key
    let renamed = AuthorizedKey::new("dep", KEY.replace("ann", "someone")).absent();
    assert!(undone(of(key("no-pty")), of(renamed)).is_some());
    neither(key("no-pty"), AuthorizedKey::new("dep", KEY).path("/etc/keys"));
}

#[test]
fn files_that_cannot_both_be() {
    let file = |content: &str| RemoteFile::content("/etc/x", content);
    both(file("a"), file("b"), "the content of /etc/x");
    both(file("a").mode(0o600), file("a").mode(0o644), "the mode of /etc/x");
    both(file("a"), Directory::at("/etc/x"), "what stands at /etc/x");
    both(file("a"), File::at("/etc/x").absent(), "what stands at /etc/x");
    both(SymbolicLink::new("/x", "a"), SymbolicLink::new("/x", "b"), "what stands at /x");
    both(Directory::at("/x").owner("a"), Directory::at("/x").owner("b"), "the owner of /x");
    neither(file("a"), File::at("/etc/x").mode(0o600));
    neither(file("a"), RemoteFile::content("/etc/y", "b"));
}

#[test]
fn a_part_of_a_file_that_is_replaced_as_a_whole() {
    let file = || RemoteFile::content("/x", "a\n[s]\nk = 1\n");
    let what = "the content of /x";
    both(file(), LineInFile::new("/x", "b"), what);
    both(file(), LineInFile::new("/x", "a").absent(), what);
    both(file(), IniSetting::new("/x", "s", "k", "2"), what);
    neither(file(), LineInFile::new("/x", "a"));
    neither(file(), LineInFile::none_matching("/x", "^b"));
    neither(file(), IniSetting::new("/x", "s", "k", "1"));
    neither(file(), LineInFile::new("/y", "b"));
}

#[test]
fn what_else_cannot_both_be() {
    both(Service::start("nginx"), Service::stop("nginx.service"), "whether nginx.service runs");
    both(
        Service::start("nginx").enabled(true),
        Service::start("nginx").enabled(false),
        "whether nginx.service starts with the node",
    );
    neither(Service::start("nginx"), Service::restart("nginx"));
    both(Package::install("a"), Package::purge("a"), "whether the package a is installed");
    both(
        Package::install("a").version("1"),
        Package::install("a").version("2"),
        "the version of the package a",
    );
    both(
        Packages::install(["b", "a"]),
        Packages::install(["a"]).action(PackageAction::Remove),
        "whether the package a is installed",
    );
    let on = |manager, name: &str| Packages::install(Vec::<String>::new()).of(manager, [name]);
    let (apt, dnf) = (crate::model::PackageManager::Apt, crate::model::PackageManager::Dnf);
    neither(on(apt, "a").of(dnf, ["b"]), on(apt, "b").of(dnf, ["a"]).action(PackageAction::Remove));
    both(
        User::new("app"),
        User::new("app").action(UserAction::Remove),
        "whether there is a user app",
    );
    both(
        User::new("app").shell("/bin/sh"),
        User::new("app").shell("/bin/bash"),
        "the shell of app",
    );
    neither(User::new("app").shell("/bin/sh"), User::new("app").uid(7));
    both(Group::new("app"), Group::new("app").absent(), "whether there is a group app");
    both(Cron::new("a", "x"), Cron::new("a", "y"), "the job a");
    both(
        Sysctl::new("net.ipv4.ip_forward", "1"),
        Sysctl::new("net/ipv4/ip_forward", "0"),
        "the value of net.ipv4.ip_forward",
    );
    both(Hostname::new("a"), Hostname::new("b"), "the host name");
    both(
        IniSetting::new("/x", "s", "k", "1"),
        IniSetting::new("/x", "s", "k", "2"),
        "k in [s] of /x",
    );
    neither(IniSetting::new("/x", "s", "k", "1"), IniSetting::new("/x", "t", "k", "2"));
    both(
        Mount::new("/x", "a", "ext4"),
        Mount::new("/x", "b", "ext4"),
        "the entry of /x in /etc/fstab",
    );
    both(
        Mount::new("/x", "a", "ext4"),
        Mount::new("/x", "a", "ext4").action(MountAction::Unmounted),
        "whether /x is in use",
    );
    neither(Mount::new("none", "/a", "swap"), Mount::new("none", "/b", "swap"));
}

#[test]
fn lines_that_take_each_others_place() {
    let line = |line: &str, matching: &str| LineInFile::new("/x", line).matching(matching);
    both(line("k=1", "^k="), line("k=2", "^k="), "the lines of /x");
    both(LineInFile::new("/x", "k=1"), line("k=2", "^k="), "the lines of /x");
    both(LineInFile::new("/x", "k=1"), LineInFile::new("/x", "k=1").absent(), "the lines of /x");
    both(
        LineInFile::new("/x", "k=1").after("^a"),
        LineInFile::none_matching("/x", "^k"),
        "the lines of /x",
    );
    neither(LineInFile::new("/x", "k=1"), LineInFile::new("/x", "k=2"));
    neither(line("k=1", "^k="), line("kk=2", "^kk="));
    neither(line("k=1", "^k="), LineInFile { path: "/y".into(), ..line("k=2", "^k=") });
    // if the first line is before the second, both stay
    neither(LineInFile::new("/x", "k=1").before("^k=2"), line("k=2", "^k="));
}

#[test]
fn conditions_and_flags_keep_apart() {
    let condition = |id, unless| Condition { id, command: "test -e /x".into(), unless };
    let under = |action: Service, conditions: Vec<Condition>| Declared { conditions, ..of(action) };
    let (start, stop) = (|| Service::start("a"), || Service::stop("a"));
    assert!(
        undone(under(start(), vec![condition(1, false)]), under(stop(), vec![condition(2, true)]))
            .is_none()
    );
    assert!(
        undone(under(start(), vec![condition(1, false)]), under(stop(), vec![condition(1, false)]))
            .is_some()
    );
    assert!(undone(of(start()), under(stop(), vec![condition(1, false)])).is_some());
    let other = Condition { command: "test -e /y".into(), ..condition(2, false) };
    assert!(
        undone(under(start(), vec![condition(1, false)]), under(stop(), vec![other])).is_none()
    );
    let flagged = Declared { options: Options::new().if_flag("f"), ..of(stop()) };
    assert!(undone(of(start()), flagged).is_none());
}

/// Planning is linear in the number of declarations.
#[test]
fn many_claims_are_found_at_once() {
    let mut claimed = ClaimIndex::default();
    let mut all = Vec::new();
    for number in 0..20_000 {
        let next = of(RemoteFile::content(format!("/srv/{number}"), "x"));
        assert_eq!(claimed.add(&next, &all), None);
        all.push(next);
    }
    let next = of(RemoteFile::content("/srv/7", "y"));
    assert_eq!(claimed.add(&next, &all), Some((7, "the content of /srv/7".to_owned())));
}

#[test]
fn what_stands_above_and_below() {
    let below = || RemoteFile::content("/e/d/f", "x");
    both(Directory::at("/e/d").absent(), below(), "what stands at /e/d");
    both(
        Directory::at("/e").absent(),
        LineInFile::new("/e/d/f", "x").create(),
        "what stands at /e",
    );
    both(
        Directory::at("/e/d").absent(),
        GitCheckout::new("https://example.com/x", "/e/d/c"),
        "what stands at /e/d",
    );
    both(RemoteFile::content("/e/d", "x"), below(), "what stands at /e/d");
    both(File::at("/e/f").absent(), LineInFile::new("/e/f", "x").create(), "what stands at /e/f");
    both(File::at("/e/f").absent(), IniSetting::new("/e/f", "s", "k", "v"), "what stands at /e/f");
    neither(SymbolicLink::new("/e/d", "/srv"), below());
    neither(Directory::at("/e/d"), below());
    neither(Directory::at("/e/dd").absent(), below());
    neither(Directory::at("/e/d").absent(), File::at("/e/d/f").absent());
    neither(File::at("/e/f").absent(), LineInFile::new("/e/f", "x").absent());
}

#[test]
fn owners_of_whole_directories() {
    let all = || Directory::at("/e").owner("root").recursive();
    both(all(), File::at("/e/d/f").owner("daemon"), "the owner of /e/d/f");
    neither(all(), File::at("/e/d/f").owner("root"));
    neither(all(), File::at("/ee").owner("daemon"));
}

#[test]
fn who_is_gone_owns_nothing() {
    let gone = || User::new("bob").action(UserAction::Remove);
    let what = "whether there is a user bob";
    both(gone(), AuthorizedKey::new("bob", KEY), what);
    both(gone(), Cron::new("x", "true").user("bob"), what);
    both(gone(), RemoteFile::content("/x", "").owner("bob"), what);
    both(gone(), ExecScript::new("true").user("bob"), what);
    both(Group::new("g").absent(), File::at("/x").group("g"), "whether there is a group g");
    neither(gone(), AuthorizedKey::new("bob", KEY).absent());
    neither(gone(), RemoteFile::content("/x", "").owner("ann"));
}

#[test]
fn an_address_has_one_list_of_names() {
    let entry = |names: &[&str]| HostsEntry::new("fd00::5", names.iter().copied());
    let what = "whether fd00::5 has the name db in /etc/hosts";
    both(entry(&["db"]), entry(&["db", "x"]).absent(), what);
    let same = undone(of(HostsEntry::new("FD00:0::5", ["db"]).absent()), of(entry(&["DB"])));
    assert_eq!(same.as_deref(), Some(what));
    let names = "the names of fd00:0:0:0:0:0:0:5 in /etc/hosts";
    both(entry(&["db"]).exclusive(), entry(&["x"]), names);
    both(entry(&["db"]), HostsEntry::new("fd00::5", Vec::<String>::new()).absent(), names);
    both(
        entry(&["a", "b"]).exclusive(),
        entry(&["b", "a"]).exclusive(),
        "the names of fd00::5 in /etc/hosts",
    );
    neither(entry(&["db"]), entry(&["x"]));
    neither(entry(&["db"]), HostsEntry::new("fd00::6", ["db"]).absent());
    neither(entry(&["db"]).exclusive(), entry(&["x"]).absent());
    both(
        entry(&["db"]),
        RemoteFile::content("/etc/hosts", "127.0.0.1 localhost\n"),
        "the content of /etc/hosts",
    );
    neither(entry(&["db"]), RemoteFile::content("/etc/hosts", "fd00::5 x db\n"));
}

#[test]
fn a_host_has_one_key_of_a_type() {
    let host = |key: &str| KnownHost::new("git", key);
    both(
        host(KEY),
        host("ssh-ed25519 AAAAx"),
        "the ssh-ed25519 key of git in /etc/ssh/ssh_known_hosts",
    );
    both(host(KEY), host(KEY).absent(), "whether git has the key ann in /etc/ssh/ssh_known_hosts");
    both(host(KEY).exclusive(), host(OTHER), "the keys of git in /etc/ssh/ssh_known_hosts");
    both(host(KEY), KnownHost::unknown("git"), "the keys of git in /etc/ssh/ssh_known_hosts");
    neither(host(KEY), host(OTHER));
    neither(host(KEY), host("ssh-ed25519 AAAAx").port(2222));
    neither(host(KEY), host("ssh-ed25519 AAAAx").user("app"));
    neither(host(KEY), host("ssh-ed25519 AAAAx").absent());
}

#[test]
fn a_block_has_one_content() {
    let block = |content: &str| BlockInFile::new("/etc/x", "a", content);
    both(block("1"), block("2"), "the block a of /etc/x");
    both(block("1"), block("1").absent(), "the block a of /etc/x");
    both(block("1").mode(0o600), block("1").mode(0o644), "the mode of /etc/x");
    neither(block("1"), block("1\n"));
    neither(block("1"), BlockInFile::new("/etc/x", "b", "2"));
    neither(block("1"), block("2").marker("; {mark}"));
    // markers without the name are those of one block
    let other = BlockInFile::new("/etc/x", "b", "2").marker("; {mark}");
    assert_eq!(
        undone(of(block("1").marker("; {mark}")), of(other)).as_deref(),
        Some("the block b of /etc/x")
    );
    both(block("1"), RemoteFile::content("/etc/x", "1\n"), "the content of /etc/x");
}
