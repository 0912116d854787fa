//! Tests of the static check, also in functions that are never called.

use super::bed::star;
use expect_test::expect;

#[test]
fn a_syntax_error() {
    star("def f(:\n    pass\n").wrong(expect![[r#"
        error: syntax error: unexpected symbol ':', expected identifier
         --> pallet.star:1:7
          |
        1 | def f(:
          |       ^
    "#]]);
    star("x = [1, 2\n").wrong(expect![[r#"
        error: syntax error: unexpected new line, expected symbol ']'
         --> pallet.star:2:1
          |
        2 |
          | ^
    "#]]);
}

#[test]
fn a_name_that_there_is_not() {
    star(
        "load(\"@nginx\", \"nginx\")\n\n\
         def web(request):\n    ngnix.install(request)\n    directry(request, \"/srv\")\n",
    )
    .wrong(expect![[r#"
        error: there is no `ngnix`
         --> pallet.star:4:5
          |
        4 |     ngnix.install(request)
          |     ^^^^^
          = help: did you mean `nginx`?

        error: there is no `directry`
         --> pallet.star:5:5
          |
        5 |     directry(request, "/srv")
          |     ^^^^^^^^
          = help: did you mean `directory`?
    "#]]);
}

#[test]
fn a_function_that_the_crate_does_not_have() {
    star("load(\"@nginx\", \"nginx\")\n\ndef web(request):\n    nginx.sit(request, \"hello\")\n")
        .wrong(expect![[r#"
        error: nginx has no `sit`
         --> pallet.star:4:11
          |
        4 |     nginx.sit(request, "hello")
          |           ^^^
          = help: did you mean `site`?
    "#]]);
}

#[test]
fn arguments_of_a_crate() {
    star(
        r#"load("@nginx", "nginx", "site")

def web(request):
    nginx.site(request, "hello", prt = 80)
    nginx.site(request, "hello", port = "eighty")
    nginx.site(request, "hello", port = 70000, scheme = "htps")
    nginx.site(request, "hello", aliases = ["a", 1], tls = {"certifcate": "x"})
    nginx.site(request)
    nginx.site("hello")
    nginx.site(request, "hello", 80)
    nginx.install(request, 1)
    site(request, name = 1, nme = "x")
    nginx.site(request, "hello", port = str(80))
    nginx.site(request, 3 * [1])
"#,
    )
    .wrong(expect![[r#"
        error: nginx.site has no parameter `prt`
         --> pallet.star:4:34
          |
        4 |     nginx.site(request, "hello", prt = 80)
          |                                  ^^^
          = help: did you mean `port`?

        error: nginx.site: `port` must be an integer, not the string "eighty"
         --> pallet.star:5:41
          |
        5 |     nginx.site(request, "hello", port = "eighty")
          |                                         ^^^^^^^^

        error: nginx.site: `port` must be 0 to 65535, not 70000
         --> pallet.star:6:41
          |
        6 |     nginx.site(request, "hello", port = 70000, scheme = "htps")
          |                                         ^^^^^

        error: nginx.site: `scheme` must be "http" or "https", not the string "htps"
         --> pallet.star:6:57
          |
        6 |     nginx.site(request, "hello", port = 70000, scheme = "htps")
          |                                                         ^^^^^^
          = help: did you mean "https"?

        error: nginx.site: `aliases.1` must be a string, not 1
         --> pallet.star:7:50
          |
        7 |     nginx.site(request, "hello", aliases = ["a", 1], tls = {"certifcate": "x"})
          |                                                  ^

        error: nginx.site: `tls` lacks the key `certificate`
         --> pallet.star:7:60
          |
        7 |     nginx.site(request, "hello", aliases = ["a", 1], tls = {"certifcate": "x"})
          |                                                            ^^^^^^^^^^^^^^^^^^^

        error: nginx.site: `tls` has no key `certifcate`
         --> pallet.star:7:61
          |
        7 |     nginx.site(request, "hello", aliases = ["a", 1], tls = {"certifcate": "x"})
          |                                                             ^^^^^^^^^^^^
          = help: did you mean `certificate`?

        error: nginx.site: `name` is missing
         --> pallet.star:8:5
          |
        8 |     nginx.site(request)
          |     ^^^^^^^^^^

        error: nginx.site: the first argument must be the request, not a string
         --> pallet.star:9:16
          |
        9 |     nginx.site("hello")
          |                ^^^^^^^
          = help: call it in a phase function and pass that function's first parameter

        error: nginx.site takes 2 arguments by position (request, name), not 3
          --> pallet.star:10:34
           |
        10 |     nginx.site(request, "hello", 80)
           |                                  ^^
           = help: by keyword it takes port, root, scheme, aliases, tls

        error: nginx.install takes 1 argument by position (request), not 2
          --> pallet.star:11:28
           |
        11 |     nginx.install(request, 1)
           |                            ^

        error: nginx.site: `name` must be a string, not 1
          --> pallet.star:12:26
           |
        12 |     site(request, name = 1, nme = "x")
           |                          ^

        error: nginx.site has no parameter `nme`
          --> pallet.star:12:29
           |
        12 |     site(request, name = 1, nme = "x")
           |                             ^^^
           = help: did you mean `name`?

        error: nginx.site: `port` must be an integer, not a string
          --> pallet.star:13:41
           |
        13 |     nginx.site(request, "hello", port = str(80))
           |                                         ^^^^^^^

        error: nginx.site: `name` must be a string, not a list
          --> pallet.star:14:25
           |
        14 |     nginx.site(request, 3 * [1])
           |                         ^^^^^^^
    "#]]);
}

#[test]
fn arguments_of_an_action() {
    star(
        r#"
def web(request):
    directory(request, "/srv", mod = "0755")
    directory(request, "/srv", mode = 755)
    directory(request, "/srv", action = "remove")
    directory("/srv")
    directory(request, "/srv", flag_on_change = "x", if_flag = True)
    directory(request, "/srv", mode = len("x"))
    user(request, "app", action = "delete")
"#,
    )
    .wrong(expect![[r#"
        error: directory has no parameter `mod`
         --> pallet.star:3:32
          |
        3 |     directory(request, "/srv", mod = "0755")
          |                                ^^^
          = help: did you mean `mode`?

        error: directory: `mode` must be a string, not 755
         --> pallet.star:4:39
          |
        4 |     directory(request, "/srv", mode = 755)
          |                                       ^^^

        error: directory: `action` must be "create" or "delete", not the string "remove"
         --> pallet.star:5:41
          |
        5 |     directory(request, "/srv", action = "remove")
          |                                         ^^^^^^^^
          = help: did you mean "delete"?

        error: directory: the first argument must be the request, not a string
         --> pallet.star:6:15
          |
        6 |     directory("/srv")
          |               ^^^^^^
          = help: call it in a phase function and pass that function's first parameter

        error: directory: `if_flag` must be a string, not true
         --> pallet.star:7:64
          |
        7 |     directory(request, "/srv", flag_on_change = "x", if_flag = True)
          |                                                                ^^^^

        error: directory: `mode` must be a string, not an integer
         --> pallet.star:8:39
          |
        8 |     directory(request, "/srv", mode = len("x"))
          |                                       ^^^^^^^^

        error: user: `action` must be "manage", "create", "remove", "lock" or "unlock", not the string "delete"
         --> pallet.star:9:35
          |
        9 |     user(request, "app", action = "delete")
          |                                   ^^^^^^^^
          = help: did you mean "remove"?
    "#]]);
}

#[test]
fn attributes_of_the_request() {
    star(
        r#"
def web(request):
    print(request.tagret.name, request.target.nme, request.target.os.famly)

def other(x, request):
    print(request.whatever)
"#,
    )
    .wrong(expect![[r#"
        error: request has no `tagret`
         --> pallet.star:3:19
          |
        3 |     print(request.tagret.name, request.target.nme, request.target.os.famly)
          |                   ^^^^^^
          = help: did you mean `target`?

        error: request.target has no `nme`
         --> pallet.star:3:47
          |
        3 |     print(request.tagret.name, request.target.nme, request.target.os.famly)
          |                                               ^^^
          = help: did you mean `name`?

        error: request.target.os has no `famly`
         --> pallet.star:3:70
          |
        3 |     print(request.tagret.name, request.target.nme, request.target.os.famly)
          |                                                                      ^^^^^
          = help: did you mean `family`?
    "#]]);
}

#[test]
fn names_that_a_file_binds_itself_are_its_own() {
    star(
        r#"
load("@nginx", "nginx")

def directory(x):
    return x

def web(request, nginx = None):
    directory(1)
    nginx.anything(1)
    [group_spec.x for group_spec in []]

group_spec("web", count = 1)
"#,
    )
    .wrong(expect!["loads; "]);
}

#[test]
fn ordinary_code_is_not_complained_about() {
    star(
        r#"
load("@nginx", "nginx")

PORTS = [80] + [443]
OWNERS = {"web": "www-data", "db": None}

def helper(request, port: int = 80, root = None, **rest):
    options = {"port": port}
    options["scheme"] = "http"
    if root == None and request.target.os_family == "debian":
        root = "/srv"
    nginx.site(request, "x", root = root, **options)
    nginx.site(request, "y", **rest)

def web(request):
    names = [target.name for target in request.targets if target.address != None]
    text = "\n".join(names) + "%s %d" % ("a", 1) + "{}".format(1)
    for port in PORTS:
        helper(request, port = port)
    nginx.site(request, text, aliases = [name.upper() for name in names] + ["z"], tls = {"certificate": names[0], "days": len(names)} if names else None)
    owner = OWNERS.get("web")
    directory(request, "/srv/" + str(len(names)), owner = owner, mode = "0755" if owner else None)
    mode = None
    if owner:
        mode = "0700"
    directory(request, path = "/x", mode = mode)
    seen = {}
    for target in request.targets_in_group("web"):
        seen[target.name] = target
    settings = request.settings("nginx") or {}
    settings["x"] = [1, "a", {"b": None}]
    request.set_settings("nginx", settings)
    directory(request, (lambda name: "/srv/" + name)("x"))

base = server_spec(phases = {"configure": web, "restart": lambda request: None}, roles = ["a"] + ["b"])
extra = [base] + [server_spec(phases = {name: web for name in ["a", "b"]})]
groups = [group_spec(name, count = count, extends = extra, node_spec = node_spec(image = dict(os_family = "debian"))) for name, count in [("a", 1), ("b", 2)]]
cluster_spec("c", groups = groups)
"#,
    )
    .wrong(expect!["loads; "]);
}
