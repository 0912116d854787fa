//! Tests of running phase functions: their requests and their errors.

use std::time::Duration;

use super::bed::{Bed, check_phase, run, star};
use crate::project::{Limits, LoadOptions, LoadedProject};
use expect_test::{Expect, expect};

fn phase(body: &str) -> Bed {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    star(&format!(
        "load(\"@nginx\", \"nginx\")\ndef configure(request):\n{body}\n\
         group_spec(\"web\", phases = {{\"configure\": configure}})\n"
    ))
}

fn check(body: &str, expected: Expect) {
    check_phase(&phase(body).load(), "configure", expected);
}

fn brief(bed: &Bed) -> LoadedProject {
    bed.load_with(LoadOptions {
        limits: Limits { time: Duration::from_millis(200) },
        ..LoadOptions::default()
    })
    .unwrap()
}

#[test]
fn actions_and_crates_are_asked_for_with_their_places() {
    check(
        "directory(request, \"/srv\", mode = \"0755\", owner = None, flag_on_change = \"made\")\n\
         nginx.site(request, \"hello\", port = 8080, tls = {\"certificate\": \"c\"})\n\
         nginx.install(request)",
        expect![[r#"
            action {"action":"directory","arguments":{"path":"/srv","mode":"0755"},"options":{"flag_on_change":"made"},"source":{"file":"pallet.star","line":3,"column":5}}
            call {"crate":"nginx","function":"site","arguments":{"name":"hello","port":8080,"tls":{"certificate":"c"}},"source":{"file":"pallet.star","line":4,"column":5}}
            call {"crate":"nginx","function":"install","arguments":{},"source":{"file":"pallet.star","line":5,"column":5}}
        "#]],
    );
}

#[test]
fn options_of_actions_and_parameters_of_the_same_name() {
    check(
        "exec_script(request, \"true\", timeout = 5, ignore_errors = True)\n\
         wait_for_port(request, 80, timeout = 5, ignore_errors = True)",
        expect![[r#"
            action {"action":"exec_script","arguments":{"script":"true"},"options":{"timeout":5,"ignore_errors":true},"source":{"file":"pallet.star","line":3,"column":5}}
            action {"action":"wait_for_port","arguments":{"port":80,"timeout":5},"options":{"ignore_errors":true},"source":{"file":"pallet.star","line":4,"column":5}}
        "#]],
    );
}

#[test]
fn a_block_has_a_body_a_rescue_and_what_always_runs() {
    check(
        "on_failure(request, lambda request: directory(request, \"/a\"), then = lambda request: \
         directory(request, \"/b\"), always = lambda request: directory(request, \"/c\"))\n\
         on_failure(request, lambda request: directory(request, \"/d\"))",
        expect![[r#"
            enter_block {"role":"body"}
            action {"action":"directory","arguments":{"path":"/a"},"options":{},"source":{"file":"pallet.star","line":3,"column":41}}
            leave_scope null
            enter_block {"role":"rescue"}
            action {"action":"directory","arguments":{"path":"/b"},"options":{},"source":{"file":"pallet.star","line":3,"column":90}}
            leave_scope null
            enter_block {"role":"always"}
            action {"action":"directory","arguments":{"path":"/c"},"options":{},"source":{"file":"pallet.star","line":3,"column":141}}
            leave_scope null
            enter_block {"role":"body"}
            action {"action":"directory","arguments":{"path":"/d"},"options":{},"source":{"file":"pallet.star","line":4,"column":41}}
            leave_scope null
        "#]],
    );
    check(
        "on_failure(request, lambda request: None, then = \"x\")",
        expect![[r#"
        error: on_failure: `then` must be a function of the request, not the string "x"
         --> pallet.star:3:5
          |
        3 |     on_failure(request, lambda request: None, then = "x")
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: pass it without calling it, or write `lambda request: ...`
    "#]],
    );
}

#[test]
fn values_keep_the_order_in_which_they_were_written() {
    check(
        "remote_file(request, \"/x\", template = \"t\", values = {\"z\": {\"y\": 1, \"b\": \
         [{\"d\": 1, \"c\": 2}]}, \"a\": 2})\n\
         request.set_settings(\"f\", {\"z\": 1, \"a\": 2})",
        expect![[r#"
            action {"action":"remote_file","arguments":{"path":"/x","template":"t","values":{"z":{"y":1,"b":[{"d":1,"c":2}]},"a":2}},"options":{},"source":{"file":"pallet.star","line":3,"column":5}}
            set_settings {"facility":"f","value":{"z":1,"a":2}}
        "#]],
    );
}

#[test]
fn a_function_of_a_crate_is_a_phase() {
    let project = star(
        "load(\"@automated-admin-user\", \"automated_admin_user\")\n\
         load(\"@nginx\", \"install\")\ngroup_spec(\"web\", phases = {\"bootstrap\": \
         [automated_admin_user, install]})\n",
    )
    .load();
    check_phase(
        &project,
        "bootstrap",
        expect![[r#"
        call {"crate":"automated-admin-user","function":"automated_admin_user","arguments":{},"source":{"file":"pallet.star","line":3,"column":1}}
        call {"crate":"nginx","function":"install","arguments":{},"source":{"file":"pallet.star","line":3,"column":1}}
    "#]],
    );
}

#[test]
fn the_request_tells_of_the_operation() {
    check(
        r#"target = request.target
print(target.name, target.id, target.group, target.address, target.roles, target.os_family, target.os_version, target.os.package_manager)
print([other.name for other in request.targets])
print([other.name for other in request.targets_with_role("db-role")], [other.name for other in request.targets_in_group("web")])
environment = request.environment
print(environment.proxy, environment["proxy"], environment.mirror.debian, environment["mirror"]["debian"])
print("proxy" in environment, environment.get("none", "default"), environment.keys(), json.encode(environment.mirror))
print(request.admin_user.name, request.phase)
print(request.settings("nginx"), request.settings("nginx", node = target), request.settings("nginx", "id-9"), request.settings("none"))
request.set_settings("nginx", {"port": 80}, root = "/srv")
request.warn(f"careful with {target.name}" if False else "careful")
directory(request, "/srv/" + environment.mirror["debian"])"#,
        expect![[r#"
            log {"level":"info","message":"web-1 id-web-1 web 10.0.0.1 [\"web-role\"] debian 12 apt"}
            log {"level":"info","message":"[\"web-1\", \"web-2\", \"db-3\"]"}
            log {"level":"info","message":"[\"db-3\"] [\"web-1\", \"web-2\"]"}
            log {"level":"info","message":"http://proxy http://proxy http://mirror http://mirror"}
            log {"level":"info","message":"True default [\"proxy\", \"mirror\"] {\"debian\":\"http://mirror\"}"}
            log {"level":"info","message":"admin configure"}
            log {"level":"info","message":"{\"node\": None} {\"node\": \"id-web-1\"} {\"node\": \"id-9\"} None"}
            set_settings {"facility":"nginx","value":{"port":80,"root":"/srv"}}
            log {"level":"warning","message":"careful"}
            action {"action":"directory","arguments":{"path":"/srv/http://mirror"},"options":{},"source":{"file":"pallet.star","line":14,"column":5}}
        "#]],
    );
}

#[test]
fn what_a_plugin_refuses_is_an_error_at_the_call() {
    check(
        "nginx.site(request, name = \"refused\")",
        expect![[r#"
        error: nginx.site: the site `refused` has no root
         --> pallet.star:3:5
          |
        3 |     nginx.site(request, name = "refused")
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: give it one
    "#]],
    );
    let bed = star(
        "load(\"@nginx\", \"nginx\")\n\ndef helper(request, name):\n    nginx.site(request, \
         name)\n\ndef configure(request):\n    helper(request, \"refused\")\n\n\
         group_spec(\"web\", phases = {\"configure\": configure})\n",
    );
    check_phase(
        &bed.load(),
        "configure",
        expect![[r#"
        error: nginx.site: the site `refused` has no root
         --> pallet.star:4:5
          |
        4 |     nginx.site(request, name)
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^
          = in helper, called at pallet.star:7:5
          = help: give it one
    "#]],
    );
    let error = run(&bed.load().groups[0].server.phases["configure"]).unwrap_err();
    assert_eq!(error.message, "nginx.site: the site `refused` has no root; give it one");
    assert_eq!(error.source_location.unwrap().to_string(), "pallet.star:4:5");
}

#[test]
fn what_only_running_can_tell() {
    check(
        "nginx.site(request, \"hello\", port = json.decode(\"\\\"x\\\"\"))",
        expect![[r#"
        error: nginx.site: `port` must be an integer, not the string "x"
         --> pallet.star:3:5
          |
        3 |     nginx.site(request, "hello", port = json.decode("\"x\""))
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]],
    );
    check(
        "nginx.site(request, \"hello\", **{\"prt\": 1})",
        expect![[r#"
        error: nginx.site has no parameter `prt`
         --> pallet.star:3:5
          |
        3 |     nginx.site(request, "hello", **{"prt": 1})
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: did you mean `port`?
    "#]],
    );
    check(
        "nginx.site(request, \"hello\", scheme = \"ht\" + \"p\" * 2)",
        expect![[r#"
        error: nginx.site: `scheme` must be "http" or "https", not the string "htpp"
         --> pallet.star:3:5
          |
        3 |     nginx.site(request, "hello", scheme = "ht" + "p" * 2)
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: did you mean "http"?
    "#]],
    );
    check(
        "nginx.site(request.target, \"hello\")",
        expect![[r#"
        error: nginx.site: the first argument must be the request, not a target
         --> pallet.star:3:5
          |
        3 |     nginx.site(request.target, "hello")
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: call it in a phase function and pass that function's first parameter
    "#]],
    );
    check(
        "nginx.site(request, \"hello\", root = request.environment.get(\"x\", configure))",
        expect![[r#"
        error: nginx.site: `root` must be plain data, not the function configure
         --> pallet.star:3:5
          |
        3 |     nginx.site(request, "hello", root = request.environment.get("x", configure))
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]],
    );
    check(
        "print(request.environment.prox)",
        expect![[r#"
        error: the environment has no key `prox`
         --> pallet.star:3:11
          |
        3 |     print(request.environment.prox)
          |           ^^^^^^^^^^^^^^^^^^^^^^^^
          = help: did you mean `proxy`?
    "#]],
    );
    check(
        "print(request.environment[\"prox\"])",
        expect![[r#"
        error: the environment has no key `prox`
         --> pallet.star:3:11
          |
        3 |     print(request.environment["prox"])
          |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: did you mean `proxy`?
    "#]],
    );
    check(
        "fail(\"this cannot be\", 1)",
        expect![[r#"
        error: this cannot be 1
         --> pallet.star:3:5
          |
        3 |     fail("this cannot be", 1)
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]],
    );
    check(
        "group_spec(\"late\")",
        expect![[r#"
        error: group_spec is a declaration and cannot be called in a phase
         --> pallet.star:3:5
          |
        3 |     group_spec("late")
          |     ^^^^^^^^^^^^^^^^^^
          = help: call it at the top level of pallet.star
    "#]],
    );
    check(
        "x = [1][5]",
        expect![[r#"
        error: index `5` is out of bound
         --> pallet.star:3:9
          |
        3 |     x = [1][5]
          |         ^^^^^^
    "#]],
    );
}

#[test]
fn a_loop_without_end_is_stopped() {
    let bed = phase("spin()");
    bed.write(
        "pallet.star",
        b"def spin():\n    for a in range(100000000):\n        for b in \
            range(100000000):\n            pass\n\ndef configure(request):\n    spin()\n\n\
            group_spec('web', phases = {'configure': configure})\n",
    );
    check_phase(
        &brief(&bed),
        "configure",
        expect![[r#"
        error: spin was stopped after 200ms
         --> pallet.star:3:9
          |
        3 |         for b in range(100000000):
          |         ^^^^^^^^^^^^^^^^^^^^^^^^^^
          = in spin, called at pallet.star:7:5
          = help: does it contain an endless loop?
    "#]],
    );
    bed.write(
        "pallet.star",
        b"for a in range(100000000):\n    for b in range(100000000):\n        pass\n",
    );
    let limits = Limits { time: Duration::from_millis(200) };
    let found = bed.load_with(LoadOptions { limits, ..LoadOptions::default() }).unwrap_err();
    expect![[r#"
        error: the top level of the file was stopped after 200ms
         --> pallet.star:2:5
          |
        2 |     for b in range(100000000):
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: does it contain an endless loop?
    "#]]
    .assert_eq(&found.render(false));
}

#[test]
fn a_recursion_without_end_is_stopped() {
    let bed = star(
        "def down(n):\n    return down(n + 1)\n\ndef configure(request):\n    down(0)\n\n\
         group_spec('web', phases = {'configure': configure})\n",
    );
    check_phase(
        &bed.load(),
        "configure",
        expect![[r#"
        error: down recurses too deep: more than 200 nested calls
         --> pallet.star:2:12
          |
        2 |     return down(n + 1)
          |            ^^^^^^^^^^^
          = in down, called at pallet.star:5:5
          = help: does it recurse endlessly?
    "#]],
    );
}

#[test]
fn phases_run_on_several_threads_at_once() {
    let project = phase("for i in range(50):\n    directory(request, \"/srv/\" + str(i))").load();
    let phase = &project.groups[0].server.phases["configure"];
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..4).map(|_| scope.spawn(|| run(phase).unwrap().lines().count())).collect();
        for lines in runs {
            assert_eq!(lines.join().unwrap(), 50);
        }
    });
}

#[test]
fn colours_only_if_asked_for() {
    let bed = phase("fail(\"x\")");
    let error = |colour| {
        let project = bed.load_with(LoadOptions { colour, ..LoadOptions::default() }).unwrap();
        run(&project.groups[0].server.phases["configure"]).unwrap_err()
    };
    let painted = crate::terminal::paint("error", "1;31");
    assert!(!error(false).rendered.contains(&painted));
    assert!(error(true).rendered.contains(&painted) && !error(true).message.contains(&painted));
}
