//! Tests of `package_source`.

use super::super::check::{NodeBuilder, check, node};
use super::*;
use crate::model::OsFamily;
use expect_test::expect;

fn apt() -> AptSource {
    AptSource { url: "https://deb.example.com/debian".into(), ..AptSource::default() }
}

fn all() -> PackageSource {
    let url = || Some("https://example.com/x86_64".to_owned());
    PackageSource::new("demo")
        .apt(apt())
        .dnf(DnfSource {
            url: url(),
            gpgkey: Some("https://example.com/key".into()),
            priority: Some(10),
            ..DnfSource::default()
        })
        .zypper(ZypperSource { url: url(), enabled: Some(false), ..ZypperSource::default() })
        .pacman(PacmanSource {
            server: "https://example.com/$repo".into(),
            siglevel: Some("Required DatabaseOptional".into()),
        })
        .apk(ApkSource { url: "https://example.com/edge".into(), tag: Some("edge".into()) })
}

fn systems() -> [(&'static str, NodeBuilder); 6] {
    use PackageManager::{Apk, Dnf, Pacman, Yum, Zypper};
    [
        ("apt", node()),
        ("dnf", node().os("rocky", OsFamily::RedHat, Dnf)),
        ("yum", node().os("centos", OsFamily::RedHat, Yum)),
        ("zypper", node().os("opensuse-leap", OsFamily::Suse, Zypper)),
        ("pacman", node().os("arch", OsFamily::Arch, Pacman)),
        ("apk", node().os("alpine", OsFamily::Alpine, Apk)),
    ]
}

fn planned_everywhere(action: &PackageSource) -> String {
    systems()
        .into_iter()
        .map(|(name, node)| {
            format!("{name}: {}", super::super::check::planned(action.clone(), node))
        })
        .collect()
}

#[test]
fn writes_the_files_of_every_package_manager() {
    expect![[r#"
        apt: may ensure file at /etc/apt/sources.list.d/demo.sources
        +Types: deb
        +URIs: https://deb.example.com/debian
        +Suites: bookworm
        +Components: main
        ---
        require_kind /etc/apt/sources.list.d/demo.sources 'file link'
        content() { printf %s 'Types: deb
        URIs: https://deb.example.com/debian
        Suites: bookworm
        Components: main
        '; }
        ensure_content /etc/apt/sources.list.d/demo.sources 48955113b0a8a2750b6b02a3fd0d29a091520d5df5bf953be1b533f01f0962c3 '' '' '' ''
        [ -z "$change" ] || package_sources_changed
        dnf: may ensure directory at /etc/yum.repos.d, ensure file at /etc/yum.repos.d/demo.repo
        +[demo]
        +name=demo
        +enabled=1
        +baseurl=https://example.com/x86_64
        +gpgcheck=1
        +gpgkey=https://example.com/key
        +priority=10
        ---
        ensure_directory /etc/yum.repos.d '' '' ''
        require_kind /etc/yum.repos.d/demo.repo 'file link'
        content() { printf %s '[demo]
        name=demo
        enabled=1
        baseurl=https://example.com/x86_64
        gpgcheck=1
        gpgkey=https://example.com/key
        priority=10
        '; }
        ensure_content /etc/yum.repos.d/demo.repo 79c664a6d5a5401a392763f1ff316f4b78252ba524998b09b7ecf8144a025cf0 '' '' '' ''
        [ -z "$change" ] || package_sources_changed
        yum: may ensure directory at /etc/yum.repos.d, ensure file at /etc/yum.repos.d/demo.repo
        +[demo]
        +name=demo
        +enabled=1
        +baseurl=https://example.com/x86_64
        +gpgcheck=1
        +gpgkey=https://example.com/key
        +priority=10
        ---
        ensure_directory /etc/yum.repos.d '' '' ''
        require_kind /etc/yum.repos.d/demo.repo 'file link'
        content() { printf %s '[demo]
        name=demo
        enabled=1
        baseurl=https://example.com/x86_64
        gpgcheck=1
        gpgkey=https://example.com/key
        priority=10
        '; }
        ensure_content /etc/yum.repos.d/demo.repo 79c664a6d5a5401a392763f1ff316f4b78252ba524998b09b7ecf8144a025cf0 '' '' '' ''
        [ -z "$change" ] || package_sources_changed
        zypper: may ensure directory at /etc/zypp/repos.d, ensure file at /etc/zypp/repos.d/demo.repo
        +[demo]
        +name=demo
        +enabled=0
        +baseurl=https://example.com/x86_64
        +gpgcheck=0
        +autorefresh=1
        ---
        ensure_directory /etc/zypp/repos.d '' '' ''
        require_kind /etc/zypp/repos.d/demo.repo 'file link'
        content() { printf %s '[demo]
        name=demo
        enabled=0
        baseurl=https://example.com/x86_64
        gpgcheck=0
        autorefresh=1
        '; }
        ensure_content /etc/zypp/repos.d/demo.repo baff9fc5062b4c3c89567585682dbab355731e1412aad678773d1e09d393e8e3 '' '' '' ''
        [ -z "$change" ] || package_sources_changed
        pacman: may ensure directory at /etc/pacman.d, ensure file at /etc/pacman.d/demo.conf, ensure lines at /etc/pacman.conf
        +[demo]
        +SigLevel = Required DatabaseOptional
        +Server = https://example.com/$repo
        +Include = /etc/pacman.d/demo.conf
        ---
        ensure_directory /etc/pacman.d '' '' ''
        require_kind /etc/pacman.d/demo.conf 'file link'
        content() { printf %s '[demo]
        SigLevel = Required DatabaseOptional
        Server = https://example.com/$repo
        '; }
        ensure_content /etc/pacman.d/demo.conf 609f968501c484f6bdffcaf8f24bfbccf9742b555d5411a117e94a8e4a1d3355 '' '' '' ''
        ensure_block /etc/pacman.conf demo 'Include = /etc/pacman.d/demo.conf'
        [ -z "$change" ] || package_sources_changed
        apk: may ensure lines at /etc/apk/repositories
        +@edge https://example.com/edge
        ---
        ensure_block /etc/apk/repositories demo '@edge https://example.com/edge'
        [ -z "$change" ] || package_sources_changed
    "#]].assert_eq(&planned_everywhere(&all()));
}

#[test]
fn removes_them() {
    expect![[r#"
        apt: may ensure it is absent at /etc/apt/sources.list.d/demo.sources, ensure it is absent at /etc/apt/keyrings/demo.asc
        ---
        ensure_absent /etc/apt/sources.list.d/demo.sources
        ensure_absent /etc/apt/keyrings/demo.asc
        [ -z "$change" ] || package_sources_changed
        dnf: may ensure it is absent at /etc/yum.repos.d/demo.repo
        ---
        ensure_absent /etc/yum.repos.d/demo.repo
        [ -z "$change" ] || package_sources_changed
        yum: may ensure it is absent at /etc/yum.repos.d/demo.repo
        ---
        ensure_absent /etc/yum.repos.d/demo.repo
        [ -z "$change" ] || package_sources_changed
        zypper: may ensure it is absent at /etc/zypp/repos.d/demo.repo, ensure it is absent at /etc/pki/rpm-gpg/demo.asc
        ---
        ensure_absent /etc/zypp/repos.d/demo.repo
        ensure_absent /etc/pki/rpm-gpg/demo.asc
        [ -z "$change" ] || package_sources_changed
        pacman: may ensure lines at /etc/pacman.conf, ensure it is absent at /etc/pacman.d/demo.conf
        ---
        ensure_block /etc/pacman.conf demo
        ensure_absent /etc/pacman.d/demo.conf
        [ -z "$change" ] || package_sources_changed
        apk: may ensure lines at /etc/apk/repositories
        ---
        ensure_block /etc/apk/repositories demo
        [ -z "$change" ] || package_sources_changed
    "#]].assert_eq(&planned_everywhere(&PackageSource::new("demo").absent()));
}

#[test]
fn writes_all_that_apt_knows() {
    let source = AptSource {
        release: Some("stable".into()),
        components: Some(vec!["main".into(), "extra".into()]),
        types: Some(vec!["deb".into(), "deb-src".into()]),
        architectures: vec!["amd64".into()],
        key_url: Some("https://example.com/key.gpg".into()),
        ..apt()
    };
    check(
        PackageSource::new("demo").apt(source),
        node()
            .without_file("/etc/apt/keyrings")
            .without_file("/etc/apt/keyrings/demo.asc")
            .without_file("/etc/apt/sources.list.d/demo.sources"),
        expect![[r#"
            will create directory at /etc/apt/keyrings, create file at /etc/apt/keyrings/demo.asc, create file at /etc/apt/sources.list.d/demo.sources
            + directory root:root 0755
            + file root:root 0644
            + content from https://example.com/key.gpg
            + file root:root 0644
            @@ -0,0 +1,6 @@
            +Types: deb deb-src
            +URIs: https://deb.example.com/debian
            +Suites: stable
            +Components: main extra
            +Architectures: amd64
            +Signed-By: /etc/apt/keyrings/demo.asc
            ---
            ensure_directory /etc/apt/keyrings '' '' ''
            content() {
            download "$1" https://example.com/key.gpg https://example.com/key.gpg '' '' ''
            armored_key "$1"
            }
            ensure_download 5980edb287f9a181d125f3b1cad0aef75a2b6a7d1c49b36601e44ae4a0555116 /etc/apt/keyrings/demo.asc '' '' '' ''
            content() { printf %s 'Types: deb deb-src
            URIs: https://deb.example.com/debian
            Suites: stable
            Components: main extra
            Architectures: amd64
            Signed-By: /etc/apt/keyrings/demo.asc
            '; }
            ensure_content /etc/apt/sources.list.d/demo.sources 085e63083665ae288f6eb97acead48ff5e3f3c1ce1c75e06deeed6c9340883cf '' '' '' ''
            [ -z "$change" ] || package_sources_changed
        "#]],
    );
    let flat = AptSource { release: Some("./".into()), allow_unsigned: true, ..apt() };
    check(
        PackageSource::new("demo").apt(flat),
        node(),
        expect![[r#"
        may ensure file at /etc/apt/sources.list.d/demo.sources
        +Types: deb
        +URIs: https://deb.example.com/debian
        +Suites: ./
        +Trusted: yes
        ---
        require_kind /etc/apt/sources.list.d/demo.sources 'file link'
        content() { printf %s 'Types: deb
        URIs: https://deb.example.com/debian
        Suites: ./
        Trusted: yes
        '; }
        ensure_content /etc/apt/sources.list.d/demo.sources 65bae8259d25c573a41c920cb8d9a3554b7de83ac3e09d7ccf8e8470af31728c '' '' '' ''
        [ -z "$change" ] || package_sources_changed
    "#]],
    );
    let key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQGN\n-----END PGP PUBLIC KEY BLOCK-----\n";
    check(
        PackageSource::new("demo").apt(AptSource { key: Some(key.into()), ..apt() }),
        node(),
        expect![[r#"
        may ensure directory at /etc/apt/keyrings, ensure file at /etc/apt/keyrings/demo.asc, ensure file at /etc/apt/sources.list.d/demo.sources
        +-----BEGIN PGP PUBLIC KEY BLOCK-----
        +
        +mQGN
        +-----END PGP PUBLIC KEY BLOCK-----
        +Types: deb
        +URIs: https://deb.example.com/debian
        +Suites: bookworm
        +Components: main
        +Signed-By: /etc/apt/keyrings/demo.asc
        ---
        ensure_directory /etc/apt/keyrings '' '' ''
        require_kind /etc/apt/keyrings/demo.asc 'file link'
        content() { printf %s '-----BEGIN PGP PUBLIC KEY BLOCK-----

        mQGN
        -----END PGP PUBLIC KEY BLOCK-----
        '; }
        ensure_content /etc/apt/keyrings/demo.asc 932c04dc10b59cca253bbbe4e9418f2ae7e47d6f8f82e758a2ff512b861afa65 '' '' '' ''
        require_kind /etc/apt/sources.list.d/demo.sources 'file link'
        content() { printf %s 'Types: deb
        URIs: https://deb.example.com/debian
        Suites: bookworm
        Components: main
        Signed-By: /etc/apt/keyrings/demo.asc
        '; }
        ensure_content /etc/apt/sources.list.d/demo.sources 5cf5e6c159f0193d1994170a5f5f9d04ba45b258114f9be115b08fffd7567333 '' '' '' ''
        [ -z "$change" ] || package_sources_changed
    "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    let sources = "Types: deb\nURIs: https://deb.example.com/debian\nSuites: bookworm\n\
        Components: main\n";
    check(
        all(),
        node().file("/etc/apt/sources.list.d/demo.sources", sources, 0o644),
        expect!["nothing to do"],
    );
    let gone = node()
        .without_file("/etc/apt/sources.list.d/demo.sources")
        .without_file("/etc/apt/keyrings/demo.asc");
    check(PackageSource::new("demo").absent(), gone, expect!["nothing to do"]);
    let alpine = || node().os("alpine", OsFamily::Alpine, PackageManager::Apk);
    let repositories = "https://example.com/main\n# begin pallet demo\n\
        @edge https://example.com/edge\n# end pallet demo\n";
    check(
        all(),
        alpine().file("/etc/apk/repositories", repositories, 0o644),
        expect!["nothing to do"],
    );
    check(
        all(),
        alpine().file("/etc/apk/repositories", &repositories.replace("@edge ", ""), 0o644),
        expect![[r#"
        will write lines at /etc/apk/repositories
        @@ -1,4 +1,4 @@
         https://example.com/main
         # begin pallet demo
        -https://example.com/edge
        +@edge https://example.com/edge
         # end pallet demo
        ---
        ensure_block /etc/apk/repositories demo '@edge https://example.com/edge'
        [ -z "$change" ] || package_sources_changed
    "#]],
    );
}

#[test]
fn the_lists_are_out_of_date_afterwards() {
    let mut action = all();
    action.prepare(&super::super::check::NoWorkspace).expect("it is right");
    let mut state = node().package_lists_age(Some(10)).0;
    action.plan(&mut state).expect("it can be planned").expect("it may change");
    assert_eq!(state.package_lists_age(), crate::model::Known::Known(None));
}

#[test]
fn refuses_what_cannot_be() {
    let source = |change: fn(&mut AptSource)| {
        let mut source = apt();
        change(&mut source);
        PackageSource::new("demo").apt(source)
    };
    check(
        PackageSource::new("../demo").apt(apt()),
        node(),
        expect![[
            r#"error: package_source: "../demo" is not a name; write letters, digits, `-`, `_` and `.`"#
        ]],
    );
    check(
        PackageSource::new("demo"),
        node(),
        expect![
            "error: package_source: nothing is said of \
        the source; give apt, dnf, zypper, pacman or apk"
        ],
    );
    check(
        source(|apt| apt.url = "a\nb".into()),
        node(),
        expect!["error: package_source: the url holds a space"],
    );
    check(
        source(|apt| apt.types = Some(vec!["rpm".into()])),
        node(),
        expect![[r#"error: package_source: the type "rpm" is not one of "deb", "deb-src""#]],
    );
    check(
        source(|apt| apt.key_url = Some("gopher://x".into())),
        node(),
        expect![[
            r#"error: remote_file: the url "gopher://x" does not begin with one of http://, https://, ftp://, ftps://"#
        ]],
    );
    check(
        source(|apt| (apt.allow_unsigned, apt.key) = (true, Some("key.asc".into()))),
        node(),
        expect![
            "error: package_source: give at most one of key_url, key, signed_by and allow_unsigned"
        ],
    );
    check(
        source(|apt| apt.key = Some("key.asc".into())),
        node(),
        expect!["error: there is no file key.asc"],
    );
    check(
        PackageSource::new("demo").dnf(DnfSource::default()),
        node(),
        expect!["error: package_source: give exactly one of url, mirrorlist, metalink"],
    );
    check(
        PackageSource::new("demo").apt(apt()),
        node().os("arch", OsFamily::Arch, PackageManager::Pacman),
        expect![
            "error: nothing is said of the source demo for pacman, which this node (arch 12 \
             (x86_64)) needs; give pacman"
        ],
    );
    check(
        all(),
        node().os("plan9", OsFamily::Unknown, PackageManager::Unknown),
        expect![
            "error: \
        there is no package manager that Pallet knows on this node, which is plan9 12 (x86_64); it \
        knows apt, dnf, yum, zypper, pacman and apk"
        ],
    );
    let mut testing = node();
    testing.0.os.version = String::new();
    check(
        PackageSource::new("demo").apt(apt()),
        testing,
        expect![
            "error: the code name of this \
        node's release is not known; give the source demo a release for apt"
        ],
    );
}
