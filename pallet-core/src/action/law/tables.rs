//! The law of actions on entries of tables and on blocks of lines.

use super::super::block_in_file::BlockPlace;
use super::super::{BlockInFile, HostsEntry, KnownHost, Locale, User};
use super::system::{copy, setup};
use super::*;

fn read(path: &str) -> String {
    fs::read_to_string(path).expect("it is there")
}

fn printed(place: &Place, script: &str) -> String {
    String::from_utf8_lossy(&place.run(script).stdout).into_owned()
}

#[test]
#[ignore = "needs root"]
fn entries_of_hosts() {
    let place = copy();
    setup(&place, "printf '127.0.0.1 localhost\\n10.0.0.5 old # kept\\n10.0.0.6 db' >/etc/hosts");
    let db = || HostsEntry::new("10.0.0.5", ["db.example.com", "db"]);
    place.law(db(), true);
    place.law(db(), false);
    place.law_of_unknown(db(), false);
    assert_eq!(
        printed(&place, "cat /etc/hosts"),
        "127.0.0.1 localhost\n10.0.0.5 old # kept\n10.0.0.6 db\n10.0.0.5\tdb.example.com db\n"
    );
    place.law_of_unknown(HostsEntry::new("10.0.0.5", ["DB", "new"]), true);
    place.law(db().exclusive(), true);
    place.law_of_unknown(db().exclusive(), false);
    assert_eq!(
        printed(&place, "cat /etc/hosts; getent hosts 10.0.0.5"),
        "127.0.0.1 localhost\n10.0.0.5 db.example.com db # kept\n10.0.0.6 db\n\
         10.0.0.5        db.example.com db\n"
    );
    place.law(HostsEntry::new("10.0.0.5", ["db"]).absent(), true);
    place.law_of_unknown(HostsEntry::new("10.0.0.5", Vec::<String>::new()).absent(), true);
    place.law(db().absent(), false);
    setup(&place, "printf 'FD00::0:5 a\\n' >/etc/hosts");
    place.law(HostsEntry::new("fd00::5", ["A"]), false);
    place.law_of_unknown(HostsEntry::new("fd00::5", ["A"]), false);
    // too large to be transferred
    setup(&place, "yes '10.0.0.7 x # many' | head -n 5000 >/etc/hosts");
    place.law(db(), true);
    place.law(db(), false);
    setup(&place, "rm -f /etc/hosts");
    place.law(db().absent(), false);
    place.law_of_unknown(db(), true);
}

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

#[test]
fn keys_of_hosts() {
    for place in places() {
        let path = place.path("it's a file");
        let git = || KnownHost::new("Git.example.com", format!("{KEY} root@git")).path(&path);
        place.law(git(), true);
        place.law(git(), false);
        place.law_of_unknown(git(), false);
        place.law_of_unknown(git().port(2222), true);
        place.law(KnownHost::new("git.example.com", "ssh-rsa AAAAB3").path(&path), true);
        assert_eq!(
            read(&path),
            format!(
                "git.example.com {KEY} root@git\n[git.example.com]:2222 {KEY} root@git\n\
                 git.example.com ssh-rsa AAAAB3\n"
            )
        );
        // ssh-keygen writes hashed names in an order of its own
        let hashed =
            std::process::Command::new("ssh-keygen").args(["-q", "-H", "-f", &path]).output();
        if hashed.is_ok_and(|output| output.status.success()) {
            fs::remove_file(format!("{path}.old")).expect("it is there");
            assert!(read(&path).starts_with("|1|"), "{}", read(&path));
            place.law(git(), false);
            place.law_of_unknown(git().port(2222), false);
        }
        place.law(git().exclusive(), true);
        place.law_of_unknown(
            KnownHost::new("git.example.com", "ssh-ed25519 AAAAC3x").path(&path),
            true,
        );
        assert_eq!(read(&path).matches("AAAAC3x").count(), 1, "{}", place.shell);
        place.law(git().absent(), false);
        place.law_of_unknown(KnownHost::unknown("git.example.com").path(&path), true);
        place.law(KnownHost::unknown("git.example.com").port(2222).path(&path), true);
        assert_eq!(read(&path), "");
    }
}

#[test]
#[ignore = "needs root"]
fn keys_of_hosts_are_those_of_a_user() {
    let place = copy();
    place.law(User::new("app2").home("/srv/app two"), true);
    let git = |key: &str| KnownHost::new("git", key).user("app2");
    let home = |action: KnownHost, changes: bool| {
        // a home directory elsewhere is known only on the node
        let action = place.prepared(action);
        let change = action
            .plan(&mut place.observe(&action))
            .expect("it can be planned")
            .expect("it is not known");
        assert_eq!(place.apply(&change), Ok(changes));
    };
    home(git(KEY), true);
    home(git(KEY), false);
    home(git("ssh-ed25519 AAAAC3x"), true);
    assert_eq!(
        printed(
            &place,
            "cd '/srv/app two/.ssh'; stat -c '%U %G %a' . known_hosts; cat known_hosts"
        ),
        "app2 app2 700\napp2 app2 644\ngit ssh-ed25519 AAAAC3x\n"
    );
    place.law(User::new("app"), true);
    let git = || KnownHost::new("git", KEY).user("app");
    place.law(git(), true);
    setup(&place, "chmod 600 /home/app/.ssh/known_hosts");
    place.law(git(), false);
    place.law_of_unknown(git().absent(), true);
    place.law(git().absent(), false);
    setup(
        &place,
        "mkdir -p /root/keys; rm -rf /home/app/.ssh; ln -s /root/keys /home/app/.ssh; \
         chown -h app /home/app/.ssh",
    );
    assert!(place.refuses(git()).contains("/home/app/.ssh is a link to /root/keys"));
    assert_eq!(printed(&place, "ls /root/keys"), "");
}

#[test]
fn blocks_of_lines() {
    for place in places() {
        let path = place.path("it's a file");
        let block = |lines: &str| BlockInFile::new(&path, "it's $HOME &\\1", lines);
        place.law(block("a\n\n b\n").create().mode(0o640), true);
        place.law(block("a\n\n b").mode(0o640), false);
        place.law_of_unknown(block("a\n\n b"), false);
        place.law_of_unknown(block("c\n"), true);
        assert_eq!(
            (read(&path).as_str(), mode(&path)),
            ("# begin it's $HOME &\\1\nc\n# end it's $HOME &\\1\n", 0o640)
        );
        fs::write(&path, "x\r\ny\r\nx\r\nz").expect("it can be written");
        place.law(block("a").after("^x$").marker("; {MARK}"), true);
        place.law(block("b").before("^y").marker("; {MARK} {name}"), true);
        place.law_of_unknown(block("c").at(BlockPlace::Begin), true);
        assert_eq!(
            read(&path).replace("it's $HOME &\\1", "n"),
            "# begin n\r\nc\r\n# end n\r\nx\r\n; BEGIN n\r\nb\r\n; END n\r\ny\r\nx\r\n\
             ; BEGIN\r\na\r\n; END\r\nz\n"
        );
        place.law(block("c").absent(), true);
        place.law_of_unknown(block("c").absent(), false);
        place.law_of_unknown(block("c").marker("; {MARK}").absent(), true);
        // not UTF-8, behind a byte order mark
        fs::write(&path, b"\xef\xbb\xbf\xff\r\n").expect("it can be written");
        let ascii = BlockInFile::new(&path, "x", "a").at(BlockPlace::Begin);
        place.law(ascii.clone(), true);
        place.law(ascii, false);
        assert_eq!(
            fs::read(&path).expect("it is there"),
            b"\xef\xbb\xbf# begin x\r\na\r\n# end x\r\n\xff\r\n"
        );
        // too large to be transferred
        fs::write(&path, "x = 1\n".repeat(20_000)).expect("it can be written");
        place.law(block("a").before("^x"), true);
        place.law(block("a"), false);
    }
}

#[test]
fn a_block_is_verified_and_its_markers_belong_together() {
    for place in places() {
        let path = place.path("file");
        fs::write(&path, "old\n").expect("it can be written");
        let block = |lines: &str| BlockInFile::new(&path, "x", lines).verify("! grep -q new");
        let said = place.fails(block("new"));
        assert!(said.ends_with(" was refused by: ! grep -q new\n"), "{}: {said}", place.shell);
        assert_eq!(read(&path), "old\n");
        place.law(block("other"), true);
        fs::write(&path, "# begin x\nother\n").expect("it can be written");
        let why = format!(
            "{path} has no line \"# end x\" behind \"# begin x\"; add it, or delete that line"
        );
        assert_eq!(place.refuses(block("other")), why);
        let action = place.prepared(block("other"));
        let change = action
            .plan(&mut NodeState::new(place.observe(&action).os))
            .expect("nothing is known")
            .expect("it may change");
        assert_eq!(place.apply(&change).expect_err("it does not end"), format!("{why}\n"));
        assert_eq!(read(&path), "# begin x\nother\n");
    }
}

#[test]
#[ignore = "needs root, and the sources of locales"]
fn locales_are_generated() {
    let place = copy();
    if !place.run("test -e /usr/share/i18n/locales/de_DE").status.success() {
        return;
    }
    let locale = || {
        Locale::generated(["sr_RS.UTF-8@latin"])
            .lang("de_DE.ISO-8859-1")
            .category("LC_TIME", "C.UTF-8")
    };
    setup(
        &place,
        "printf '# x\\n# de_DE.ISO-8859-1 ISO-8859-1\\n' >/etc/locale.gen; rm -rf \
         /usr/lib/locale/locale-archive; printf 'LANG=C\\n' >/etc/default/locale",
    );
    place.law(locale(), true);
    place.law(locale(), false);
    place.law_of_unknown(locale(), false);
    assert_eq!(
        printed(
            &place,
            "cat /etc/locale.gen /etc/default/locale; LC_ALL=de_DE.ISO-8859-1 locale mon"
        ),
        "# x\nde_DE.ISO-8859-1 ISO-8859-1\nsr_RS.UTF-8@latin UTF-8\nLANG=de_DE.ISO-8859-1\n\
         LC_TIME=C.UTF-8\nJanuar;Februar;M\u{fffd}rz;April;Mai;Juni;Juli;August;September;\
         Oktober;November;Dezember\n"
    );
    // of a later Debian
    setup(
        &place,
        "mv /etc/default/locale /etc/locale.conf; ln -s ../locale.conf /etc/default/locale",
    );
    place.law(locale(), false);
    place.law_of_unknown(locale().lang("C.UTF-8"), true);
    assert_eq!(printed(&place, "cat /etc/locale.conf"), "LANG=C.UTF-8\nLC_TIME=C.UTF-8\n");
    let said = place.fails(Locale::generated(["xx_XX.UTF-8"]));
    assert!(said.contains("locale-gen does not generate xx_XX.UTF-8; is it "), "{said}");
}

/// As Red Hat's systems do.
#[test]
#[ignore = "needs root, and the sources of locales"]
fn locales_are_made_of_their_sources() {
    let place = copy();
    if !place.run("test -e /usr/share/i18n/locales/de_DE").status.success() {
        return;
    }
    setup(
        &place,
        "rm -rf /usr/lib/locale/locale-archive /etc/locale.gen /etc/default/locale; printf \
         'ID=rocky\\nVERSION_ID=9.4\\n' >/usr/lib/os-release; rm -f /etc/os-release; ln -s \
         ../usr/lib/os-release /etc/os-release",
    );
    let locale = || Locale::generated(["sr_RS.UTF-8@latin"]).lang("de_DE.UTF-8");
    place.law(locale(), true);
    place.law(locale(), false);
    place.law_of_unknown(locale(), false);
    assert_eq!(
        printed(
            &place,
            "cat /etc/locale.conf; ls -A /etc/locale.gen /etc/default/locale 2>/dev/null"
        ),
        "LANG=de_DE.UTF-8\n"
    );
    let said = place.fails(Locale::generated(["xx_XX.UTF-8"]));
    assert!(said.contains("is the package glibc-locale-source installed?"), "{said}");
}

/// Every awk that is installed here.
#[test]
fn tables_need_no_more_than_posix_awk() {
    let place = Place::of(shells().remove(0));
    let path = place.path("file");
    let hashed = "|1|QUJDREVGR0hJSktMTU5PUFFSU1Q=|afJeVVR2J0lUxTCjDiVSGHSpCTY=";
    let hosts = "FD00::5 x # y\n10.0.0.5 a\r\n fd00:0::0.0.0.5 x b\n";
    let known = format!("{hashed} ssh-rsa AAAAold\nx,git ssh-rsa AAAAold\n");
    let cases = [
        ("ensure_hosts_entry", vec!["present", "fd00::5", "x", "z"], hosts.to_owned()),
        ("ensure_hosts_entry", vec!["only", "fd00::5", "x", "z"], hosts.to_owned()),
        ("ensure_hosts_entry", vec!["absent", "10.0.0.5", "A"], hosts.to_owned()),
        ("ensure_known_host", vec!["present", "git", "ssh-rsa AAAAnew &\\1"], known.clone()),
        ("ensure_known_host", vec!["absent", "git"], known),
        (
            "ensure_lines",
            vec!["present", "# b", "# e", "after", "^1", "", "01", "&\\1"],
            "1\n1.0\n".to_owned(),
        ),
        (
            "ensure_lines",
            vec!["absent", "# b", "# e", "after", "", ""],
            "1\n# b\nx\n# e\n".to_owned(),
        ),
        (
            "ensure_listed_locales",
            vec!["de_DE.UTF-8", "sr_RS.UTF-8@latin"],
            "#  de_DE.UTF-8\tUTF-8\n".to_owned(),
        ),
        ("ensure_default_locales", vec!["LANG=C", "LC_TIME=C"], "LANG=\"x\"\n".to_owned()),
    ];
    let mut made: Option<Vec<String>> = None;
    for awk in ["mawk", "gawk", "original-awk", "busybox awk"] {
        let program = awk.split(' ').next().unwrap_or_default();
        if !place.shell.run(&format!("command -v {program}")).status.success() {
            continue;
        }
        let results = cases.iter().map(|(function, words, text)| {
            fs::write(&path, text).expect("it can be written");
            let words = [*function, &path, "", "", "", ""].into_iter().chain(words.iter().copied());
            let script =
                crate::script::Script::new().raw(&format!("awk() {{ {awk} \"$@\"; }}")).call(words);
            let change = Change::may("", script);
            assert_eq!(place.apply(&change), Ok(true), "{awk}: {function}");
            assert_eq!(place.apply(&change), Ok(false), "{awk}: {function}");
            read(&path)
        });
        let results: Vec<String> = results.collect();
        match &made {
            Some(made) => assert_eq!(&results, made, "{awk}"),
            None => made = Some(results),
        }
    }
    assert!(made.is_some(), "there is no awk");
}
