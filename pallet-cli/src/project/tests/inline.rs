//! Tests of code on the command line.

use super::bed::{run, star};
use expect_test::{Expect, expect};

const PROJECT: &str = r#"
load("@nginx", "nginx")

port = 8080

def web(request):
    nginx.site(request, "web", port = port)

group_spec("web")
"#;

fn check(code: &str, expected: Expect) {
    let outcome = match star(PROJECT).load().inline(code) {
        Ok(phase) => run(&phase).unwrap_or_else(|error| error.rendered),
        Err(found) => found.render(false),
    };
    expected.assert_eq(&outcome);
}

#[test]
fn code_sees_the_request_and_the_project() {
    check(
        "web(request)",
        expect![[r#"
        call {"crate":"nginx","function":"site","arguments":{"name":"web","port":8080},"source":{"file":"pallet.star","line":7,"column":5}}
    "#]],
    );
    check(
        "nginx.install(request)\nfor name in [\"a\", \"b\"]:\n    directory(request, \"/srv/\" + \
         name)\n",
        expect![[r#"
        call {"crate":"nginx","function":"install","arguments":{},"source":{"file":"-e","line":1,"column":1}}
        action {"action":"directory","arguments":{"path":"/srv/a"},"options":{},"source":{"file":"-e","line":3,"column":5}}
        action {"action":"directory","arguments":{"path":"/srv/b"},"options":{},"source":{"file":"-e","line":3,"column":5}}
    "#]],
    );
    check(
        "load(\"@nginx\", \"site\")\nport = 1\nsite(request, request.target.name, port = port)",
        expect![[r#"
        call {"crate":"nginx","function":"site","arguments":{"name":"web-1","port":1},"source":{"file":"-e","line":3,"column":1}}
    "#]],
    );
}

#[test]
fn places_are_those_of_the_code() {
    check(
        "nginx.instal(request)",
        expect![[r#"
        error: nginx has no `instal`
         --> -e:1:7
          |
        1 | nginx.instal(request)
          |       ^^^^^^
          = help: did you mean `install`?
    "#]],
    );
    check(
        "x = 1\nnginx.site(request, \"a\", prt = x)",
        expect![[r#"
        error: nginx.site has no parameter `prt`
         --> -e:2:26
          |
        2 | nginx.site(request, "a", prt = x)
          |                          ^^^
          = help: did you mean `port`?
    "#]],
    );
    check(
        "web(",
        expect![[r#"
        error: syntax error: unexpected new line, expected expression
         --> -e:1:5
          |
        1 | web(
          |     ^
    "#]],
    );
    check(
        "wbe(request)",
        expect![[r#"
        error: there is no `wbe`
         --> -e:1:1
          |
        1 | wbe(request)
          | ^^^
          = help: did you mean `web`?
    "#]],
    );
    check(
        "web(request)\nfail(\"no\")",
        expect![[r#"
        error: no
         --> -e:2:1
          |
        2 | fail("no")
          | ^^^^^^^^^^
    "#]],
    );
    check(
        "load(\"@zsh\", \"zsh\")",
        expect![[r#"
        error: `@zsh` cannot be loaded here
         --> -e:1:6
          |
        1 | load("@zsh", "zsh")
          |      ^^^^^^
          = help: load it in pallet.star
    "#]],
    );
}
