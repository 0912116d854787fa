//! Which blocks are inserted, replaced and removed.

use super::super::check::{check, node};
use super::*;
use expect_test::expect;

const PATH: &str = "/etc/app.conf";

fn block() -> BlockInFile {
    BlockInFile::new(PATH, "web", "one\n\ntwo\n")
}

#[test]
fn inserts_what_is_missing() {
    check(
        block(),
        node().file(PATH, "a\nb", 0o600),
        expect![[r#"
        will change content
        @@ -1,2 +1,7 @@
         a
        -b
        \ No newline at end of file
        +b
        +# begin web
        +one
        +
        +two
        +# end web
        ---
        ensure_lines /etc/app.conf '' '' '' '' present '# begin web' '# end web' after '' '' one '' two
    "#]],
    );
    check(
        block().after("^a").marker("<!-- {MARK} {name} -->"),
        node().file(PATH, "a\nb\n", 0o644),
        expect![[r#"
            will change content
            @@ -1,2 +1,7 @@
             a
            +<!-- BEGIN web -->
            +one
            +
            +two
            +<!-- END web -->
             b
            ---
            ensure_lines /etc/app.conf '' '' '' '' present '<!-- BEGIN web -->' '<!-- END web -->' after '^a' '' one '' two
        "#]],
    );
    check(
        block().at(BlockPlace::Begin).verify("app -t"),
        node().file(PATH, "a\n", 0o644),
        expect![[r#"
            will change content
            @@ -1 +1,6 @@
            +# begin web
            +one
            +
            +two
            +# end web
             a
            ---
            ensure_lines /etc/app.conf '' '' '' '' present '# begin web' '# end web' before '' 'app -t' one '' two
        "#]],
    );
    check(
        block().create().mode(0o600),
        node().without_file(PATH),
        expect![[r#"
        will create file
        + file root:root 0600
        @@ -0,0 +1,5 @@
        +# begin web
        +one
        +
        +two
        +# end web
        ---
        ensure_lines /etc/app.conf create '' '' 0600 present '# begin web' '# end web' after '' '' one '' two
    "#]],
    );
}

#[test]
fn replaces_what_is_between_the_markers() {
    check(
        block(),
        node().file(PATH, "a\n# begin web\nold\n# end web\nb\n# begin db\n# end db\n", 0o644),
        expect![[r#"
            will change content
            @@ -1,6 +1,8 @@
             a
             # begin web
            -old
            +one
            +
            +two
             # end web
             b
             # begin db
            ---
            ensure_lines /etc/app.conf '' '' '' '' present '# begin web' '# end web' after '' '' one '' two
        "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(
        block().after("^b"),
        node().file(PATH, "# begin web\r\none\r\n\r\ntwo\r\n# end web\r\nb\r\n", 0o644),
        expect!["nothing to do"],
    );
    check(block().absent(), node().file(PATH, "# begin webs\n", 0o644), expect!["nothing to do"]);
    check(block().absent(), node().without_file(PATH), expect!["nothing to do"]);
}

#[test]
fn takes_a_block_away() {
    check(
        block().absent(),
        node().file(PATH, "a\n# begin web\nold\n# end web\nb\n", 0o644),
        expect![[r#"
            will change content
            @@ -1,5 +1,2 @@
             a
            -# begin web
            -old
            -# end web
             b
            ---
            ensure_lines /etc/app.conf leave '' '' '' absent '# begin web' '# end web' after '' ''
        "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        block().before("^b"),
        node(),
        expect![[r#"
        may edit file
        +# begin web
        +one
        +
        +two
        +# end web
        ---
        ensure_lines /etc/app.conf '' '' '' '' present '# begin web' '# end web' before '^b' '' one '' two
    "#]],
    );
    check(
        block().absent(),
        node(),
        expect![[r#"
        may edit file
        ---
        ensure_lines /etc/app.conf leave '' '' '' absent '# begin web' '# end web' after '' ''
    "#]],
    );
}

#[test]
fn refuses_what_cannot_be() {
    let other = |change: fn(&mut BlockInFile)| {
        let mut block = block();
        change(&mut block);
        block
    };
    for (action, expected) in [
        (
            other(|block| block.name = String::new()),
            expect!["error: block_in_file: a block needs a name"],
        ),
        (
            other(|block| block.name = "a\nb".into()),
            expect![[
                r#"error: block_in_file: the name "a\nb" holds a newline or a NUL; give one line"#
            ]],
        ),
        (
            other(|block| block.content = None),
            expect![[
                r#"error: block_in_file: there is no content for web; action = "absent" removes a block"#
            ]],
        ),
        (
            other(|block| block.content = Some(String::new())),
            expect![[
                r#"error: block_in_file: the content of web is empty; action = "absent" removes a block"#
            ]],
        ),
        (
            other(|block| block.content = Some("a\n# end web".into())),
            expect![[
                r##"error: block_in_file: the line "# end web" of the content is a marker of the block"##
            ]],
        ),
        (
            other(|block| block.content = Some("a\r\n".into())),
            expect![[
                r#"error: block_in_file: the line "a\r" ends with a carriage return; remove it: a line gets what ends the lines of its file"#
            ]],
        ),
        (
            other(|block| block.action = LineAction::Absent),
            expect!["error: block_in_file: a block that is absent has no content; omit it"],
        ),
        (
            block().marker("# {name}"),
            expect![[
                r##"error: block_in_file: the marker "# {name}" holds neither {mark} nor {MARK}, which tell its begin from its end"##
            ]],
        ),
        (
            block().after("a").before("b"),
            expect!["error: block_in_file: a block has one place; say one of after, before and at"],
        ),
        (
            block().after("a").at(BlockPlace::Begin),
            expect!["error: block_in_file: a block has one place; say one of after, before and at"],
        ),
        (
            block().after("("),
            expect![[
                r#"error: block_in_file: after "(" is not a POSIX extended regular expression: `(` has no `)`; write \( for that character"#
            ]],
        ),
        (
            other(|block| block.mode = Some("x".into())),
            expect![[
                r#"error: block_in_file: the mode "x" is not octal permissions such as "0644""#
            ]],
        ),
    ] {
        check(action, node(), expected);
    }
    check(
        block(),
        node().without_file(PATH),
        expect!["error: there is no file /etc/app.conf; create = True makes one"],
    );
    check(
        block().absent(),
        node().file(PATH, "# begin web\n", 0o644),
        expect![[
            r##"error: /etc/app.conf has no line "# end web" behind "# begin web"; add it, or delete that line"##
        ]],
    );
}
