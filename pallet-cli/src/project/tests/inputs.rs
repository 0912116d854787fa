//! Tests of a session's inputs: later inputs see earlier definitions, and errors have places in
//! their own input.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::{Expect, expect};

use super::bed::{Bed, Crates, star};
use crate::project::star::{InputContext, Inputs, Language, PhaseCalls, with_inputs, with_room};
use crate::project::{Limits, LoadOptions};

const PROJECT: &str = r#"
load("@nginx", "nginx")

port = 8080

def web(request):
    nginx.site(request, "web", port = port)

group_spec("web")
group_spec("data-base")
"#;

/// Evaluates inputs on a project. Returns the values and errors, and the output.
fn evaluated(
    bed: &Bed,
    limits: Limits,
    work: impl FnOnce(&mut Inputs<'_, '_>, &AtomicBool) -> String + Send,
) -> String {
    let project = bed.load_with(LoadOptions { limits, ..LoadOptions::default() }).unwrap();
    let printed = Arc::new(Mutex::new(String::new()));
    let (sink, stop) = (printed.clone(), Arc::new(AtomicBool::new(false)));
    let asked = stop.clone();
    let workbench = InputContext {
        language: Language::new(std::iter::empty()),
        catalog: Arc::new(Crates),
        live: PhaseCalls::default(),
        print: Arc::new(move |line| sink.lock().unwrap().push_str(&format!("printed {line}\n"))),
        stop: Arc::new(move || asked.load(Ordering::Relaxed)),
    };
    let told =
        with_room(|| with_inputs(&workbench, &project, |inputs| work(inputs, &stop))).unwrap();
    format!("{told}{}", printed.lock().unwrap())
}

fn one(inputs: &mut Inputs<'_, '_>, code: &str) -> String {
    match inputs.check("input", code).and_then(|()| inputs.evaluate("input", code)) {
        Ok(value) => format!("{}\n", value.to_repr()),
        Err(found) => found.render(false),
    }
}

fn check(codes: &[&str], expected: Expect) {
    let told = evaluated(&star(PROJECT), Limits::default(), |inputs, _| {
        codes.iter().map(|code| one(inputs, code)).collect()
    });
    expected.assert_eq(&told);
}

#[test]
fn what_one_defines_the_next_ones_see_and_change() {
    check(
        &[
            "x = []",
            "x.append(port)",
            "x",
            "def twice(n): return n * len(x)",
            "x.append(twice(3))",
            "_",
            "x",
            "port = 1",
            "x[0] + port",
        ],
        expect![[r#"
            None
            None
            [8080]
            None
            None
            [8080, 3]
            [8080, 3]
            None
            8081
        "#]],
    );
    check(
        &[
            "web",
            "data_base",
            "load(\"@automated-admin-user\", a = \"automated_admin_user\")",
            "a(1)",
            "load(\"@nginx\", \"site\")",
            "site",
            "print(\"a\", 1)",
        ],
        expect![[r#"
            pallet.star.web
            group_spec("data-base")
            None
            error: automated_admin_user: the first argument must be the request, not a number
             --> input:1:3
              |
            1 | a(1)
              |   ^
              = help: call it in a phase function and pass that function's first parameter
            None
            nginx.site
            None
            printed a 1
        "#]],
    );
}

#[test]
fn a_mistake_is_told_of_its_line_and_what_came_before_it_stays() {
    check(
        &[
            "y = 1\nz = fail(\"no\")",
            "y",
            "z",
            "prt",
            "\n\nnginx.sit",
            "def web(request): return 1",
            "web(",
            "load(\"@zsh\", \"x\")",
        ],
        expect![[r#"
            error: no
             --> input:2:5
              |
            2 | z = fail("no")
              |     ^^^^^^^^^^
            1
            error: there is no `z`
             --> input:1:1
              |
            1 | z
              | ^
              = help: did you mean `y`?
            error: there is no `prt`
             --> input:1:1
              |
            1 | prt
              | ^^^
              = help: did you mean `port`?
            error: nginx has no `sit`
             --> input:3:7
              |
            3 | nginx.sit
              |       ^^^
              = help: did you mean `site`?
            None
            error: syntax error: unexpected new line, expected expression
             --> input:1:5
              |
            1 | web(
              |     ^
            error: there is no crate `zsh`
             --> input:1:6
              |
            1 | load("@zsh", "x")
              |      ^^^^^^
              = help: install it with `pallet-cli install oci://HOST/PATH/crate/zsh`, or by its name if `registry` is set; there are automated-admin-user, broken, nginx
        "#]],
    );
}

#[test]
fn a_project_that_is_read_again_has_its_new_names_and_own_names_stay() {
    let bed = star(PROJECT);
    let told = evaluated(&bed, Limits::default(), |inputs, _| {
        let mut told = one(inputs, "port = 1");
        bed.write("pallet.star", b"port = 2\nadded = 3\ngroup_spec(\"app\")\n");
        told.push_str(&format!("hidden: {:?}\n", inputs.take(&bed.load())));
        ["port", "added", "app", "web", "nginx"]
            .iter()
            .for_each(|code| told.push_str(&one(inputs, code)));
        told
    });
    expect![[r#"
        None
        hidden: ["port"]
        1
        3
        group_spec("app")
        error: there is no `web`
         --> input:1:1
          |
        1 | web
          | ^^^
          = help: did you mean `len`?
        error: there is no `nginx`
         --> input:1:1
          |
        1 | nginx
          | ^^^^^
    "#]]
    .assert_eq(&told);
}

#[test]
fn what_does_not_end_is_stopped_and_the_next_input_has_its_own_time() {
    let limits = Limits { time: Duration::from_millis(400) };
    let told = evaluated(&star(PROJECT), limits, |inputs, stop| {
        let endless = "x = [n for n in range(1000000000)]";
        let mut told = one(inputs, endless);
        told.push_str(&one(inputs, "1"));
        stop.store(true, Ordering::Relaxed);
        told.push_str(&one(inputs, endless));
        stop.store(false, Ordering::Relaxed);
        told.push_str(&one(inputs, "2"));
        told
    });
    assert_eq!(told.matches("was stopped after 400ms").count(), 2, "{told}");
    assert!(told.contains("\n1\n") && told.ends_with("\n2\n"), "{told}");
}
