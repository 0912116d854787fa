//! Which locales are generated, and which files say so.

use super::super::check::{NodeBuilder, check, node};
use super::*;
use crate::model::PackageManager;
use expect_test::expect;

fn german() -> Locale {
    Locale::generated(["en_US.UTF-8"]).lang("de_DE.UTF-8").category("LC_MESSAGES", "C.UTF-8")
}

/// A node that lacks these locales.
fn lacking(action: &Locale, lacks: &str) -> NodeBuilder {
    node().reading(&action.reading(), 0, lacks)
}

fn with_files(node: NodeBuilder, list: &str, defaults: &str) -> NodeBuilder {
    node.file(GEN, list, 0o644).file(DEBIAN_DEFAULTS, defaults, 0o644)
}

#[test]
fn generates_what_is_missing() {
    check(
        german(),
        with_files(
            lacking(&german(), "de_DE.UTF-8\nen_US.UTF-8"),
            "# x\n# de_DE.UTF-8 UTF-8\n",
            "LANG=C\nLC_TIME=C\n",
        ),
        expect![[r#"
            will change content, generate, change content
            @@ -1,2 +1,3 @@
             # x
            -# de_DE.UTF-8 UTF-8
            +de_DE.UTF-8 UTF-8
            +en_US.UTF-8 UTF-8
            + locale de_DE.UTF-8
            + locale en_US.UTF-8
            @@ -1,2 +1,3 @@
            -LANG=C
            +LANG=de_DE.UTF-8
             LC_TIME=C
            +LC_MESSAGES=C.UTF-8
            ---
            ensure_listed_locales /etc/locale.gen create '' '' '' de_DE.UTF-8 en_US.UTF-8
            generate_locales locale-gen locales de_DE.UTF-8 en_US.UTF-8
            ensure_default_locales /etc/default/locale create '' '' '' LANG=de_DE.UTF-8 LC_MESSAGES=C.UTF-8
        "#]],
    );
    check(
        german(),
        lacking(&german(), "de_DE.UTF-8").without_file(DEFAULTS).os(
            "rocky",
            OsFamily::RedHat,
            PackageManager::Dnf,
        ),
        expect![[r#"
            will generate, create file
            + locale de_DE.UTF-8
            + file root:root 0644
            @@ -0,0 +1,2 @@
            +LANG=de_DE.UTF-8
            +LC_MESSAGES=C.UTF-8
            ---
            generate_locales localedef glibc-locale-source de_DE.UTF-8 en_US.UTF-8
            ensure_default_locales /etc/locale.conf create '' '' '' LANG=de_DE.UTF-8 LC_MESSAGES=C.UTF-8
        "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    let list = "de_DE.UTF-8  UTF-8\n en_US.UTF-8 UTF-8\n";
    let right = "LANG=\"de_DE.UTF-8\"\nLC_MESSAGES=C.UTF-8\nLANGUAGE=de\n";
    check(german(), with_files(lacking(&german(), ""), list, right), expect!["nothing to do"]);
    // from a package with all locales
    check(
        german(),
        with_files(lacking(&german(), ""), "", right).without_file(GEN),
        expect!["nothing to do"],
    );
    check(
        german(),
        with_files(lacking(&german(), ""), "", right).link(GEN, "/usr/share/i18n/SUPPORTED"),
        expect!["nothing to do"],
    );
    // where it is a link, the file is that
    check(
        german(),
        lacking(&german(), "")
            .file(GEN, list, 0o644)
            .link(DEBIAN_DEFAULTS, "../locale.conf")
            .file(DEFAULTS, right, 0o644),
        expect!["nothing to do"],
    );
    let built_in = Locale::default().lang("C.UTF-8");
    check(
        built_in,
        node().file(DEFAULTS, "LANG=C.UTF-8\n", 0o644).os(
            "alpine",
            OsFamily::Alpine,
            PackageManager::Apk,
        ),
        expect!["nothing to do"],
    );
}

#[test]
fn corrects_the_list_alone() {
    check(
        Locale::generated(["de_DE.UTF-8"]),
        lacking(&Locale::generated(["de_DE.UTF-8"]), "").file(GEN, "# x\n", 0o644),
        expect![[r#"
            will change content
            @@ -1 +1,2 @@
             # x
            +de_DE.UTF-8 UTF-8
            ---
            ensure_listed_locales /etc/locale.gen leave '' '' '' de_DE.UTF-8
        "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        german(),
        node(),
        expect![[r#"
        may edit file, ensure they are generated, edit file
        +de_DE.UTF-8 UTF-8
        +en_US.UTF-8 UTF-8
        +LANG=de_DE.UTF-8
        +LC_MESSAGES=C.UTF-8
        ---
        ensure_listed_locales /etc/locale.gen create '' '' '' de_DE.UTF-8 en_US.UTF-8
        generate_locales locale-gen locales de_DE.UTF-8 en_US.UTF-8
        locale_file /etc/default/locale
        ensure_default_locales "$file" create '' '' '' LANG=de_DE.UTF-8 LC_MESSAGES=C.UTF-8
    "#]],
    );
    check(
        german(),
        node().os("rocky", OsFamily::RedHat, PackageManager::Dnf),
        expect![[r#"
        may ensure they are generated, edit file
        +LANG=de_DE.UTF-8
        +LC_MESSAGES=C.UTF-8
        ---
        generate_locales localedef glibc-locale-source de_DE.UTF-8 en_US.UTF-8
        ensure_default_locales /etc/locale.conf create '' '' '' LANG=de_DE.UTF-8 LC_MESSAGES=C.UTF-8
    "#]],
    );
}

#[test]
fn refuses_what_cannot_be() {
    for (action, expected) in [
        (
            Locale::default(),
            expect!["error: locale: there is no locale; give names, lang or categories"],
        ),
        (
            Locale::generated(["de_DE"]),
            expect![[
                r#"error: locale: "de_DE" is not a locale with its character set, such as de_DE.UTF-8"#
            ]],
        ),
        (
            Locale::default().lang("de_DE.UTF-8 x"),
            expect![[
                r#"error: locale: "de_DE.UTF-8 x" is not a locale with its character set, such as de_DE.UTF-8"#
            ]],
        ),
        (
            Locale::default().lang("../x.UTF-8"),
            expect![[
                r#"error: locale: "../x.UTF-8" is not a locale with its character set, such as de_DE.UTF-8"#
            ]],
        ),
        (
            Locale::default().category("LC_ALL", "C"),
            expect![[
                r#"error: locale: "LC_ALL" is none of the categories LC_ADDRESS, LC_COLLATE, LC_CTYPE, LC_IDENTIFICATION, LC_MEASUREMENT, LC_MESSAGES, LC_MONETARY, LC_NAME, LC_NUMERIC, LC_PAPER, LC_TELEPHONE, LC_TIME"#
            ]],
        ),
    ] {
        check(action, node(), expected);
    }
    check(
        german(),
        lacking(&german(), "de_DE.UTF-8").os("alpine", OsFamily::Alpine, PackageManager::Apk),
        expect!["error: alpine 12 (x86_64) has no locales to generate: musl has C.UTF-8 alone"],
    );
}
