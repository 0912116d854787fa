//! Code that would crash Pallet ends with an error that has a place.

use super::bed::{Bed, check_phase, run, star};
use expect_test::{Expect, expect};

const DOUBLING: &str = "def g():\n    x = \"a\"\n    for i in range(60):\n        x = x + x\n";
const PANIC: &str = "def g(n):\n    x = list(range(n))\n";

fn first_line(bed: &Bed) -> String {
    let found = bed.load_with(Default::default()).unwrap_err();
    let [one] = found.0.as_slice() else { panic!("{found}") };
    one.place.as_ref().map_or_else(String::new, |place| format!("{place}: ")) + &one.one_line()
}

#[test]
fn values_that_double_are_stopped_at_their_line() {
    star(&format!("{DOUBLING}g()\n")).wrong(expect![[r#"
        error: the project uses too much memory
         --> pallet.star:4:9
          |
        4 |         x = x + x
          |         ^^^^^^^^^
          = in g, called at pallet.star:5:1
          = help: does a value double in each iteration of a loop?
    "#]]);
    let bed = star(&format!(
        "{DOUBLING}def configure(request):\n    g()\n\n\
         group_spec(\"web\", phases = {{\"configure\": configure}})\n"
    ));
    check_phase(
        &bed.load(),
        "configure",
        expect![[r#"
        error: the project uses too much memory
         --> pallet.star:4:9
          |
        4 |         x = x + x
          |         ^^^^^^^^^
          = in g, called at pallet.star:6:5
          = help: does a value double in each iteration of a loop?
    "#]],
    );
    let found = run(&bed.load().inline("x = 1\ng()").unwrap()).unwrap_err().rendered;
    expect![[r#"
        error: the project uses too much memory
         --> pallet.star:4:9
          |
        4 |         x = x + x
          |         ^^^^^^^^^
          = in g, called at -e:2:1
          = help: does a value double in each iteration of a loop?
    "#]]
    .assert_eq(&found);
}

#[test]
fn a_panic_is_an_error_at_the_statement_that_was_under_way() {
    star(&format!("{PANIC}n = 1000000000\ng(n)\n")).wrong(expect![[r#"
        error: a value is too large to be computed
         --> pallet.star:2:5
          |
        2 |     x = list(range(n))
          |     ^^^^^^^^^^^^^^^^^^
          = in g, called at pallet.star:4:1
          = help: does a value double in each iteration of a loop?
    "#]]);
    let bed = star(&format!(
        "{PANIC}def configure(request):\n    g(1000000000)\n\n\
         group_spec(\"web\", phases = {{\"configure\": configure}})\n"
    ));
    check_phase(
        &bed.load(),
        "configure",
        expect![[r#"
        error: a value is too large to be computed
         --> pallet.star:2:5
          |
        2 |     x = list(range(n))
          |     ^^^^^^^^^^^^^^^^^^
          = in g, called at pallet.star:4:5
          = help: does a value double in each iteration of a loop?
    "#]],
    );
    let found = run(&bed.load().inline("g(1000000000)").unwrap()).unwrap_err().rendered;
    expect![[r#"
        error: a value is too large to be computed
         --> pallet.star:2:5
          |
        2 |     x = list(range(n))
          |     ^^^^^^^^^^^^^^^^^^
          = in g, called at -e:1:1
          = help: does a value double in each iteration of a loop?
    "#]]
    .assert_eq(&found);
    // Starlark computes this at compile time
    star("x = list(range(1000000000))\n").wrong(expect![[r#"
        error: a value is too large to be computed
         --> pallet.star:1:1
          |
        1 | x = list(range(1000000000))
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: does a value double in each iteration of a loop?
    "#]]);
}

#[test]
fn code_that_is_nested_too_deep_is_not_parsed() {
    let nested =
        |open: &str, close: &str| format!("x = {}1{}\n", open.repeat(20_000), close.repeat(20_000));
    let too_deep = "pallet.star:1:205: this is nested too deep: more than 200 levels of brackets \
        and blocks; split it into steps, with names for the parts";
    assert_eq!(first_line(&star(&nested("(", ")"))), too_deep);
    assert_eq!(first_line(&star(&nested("[", "]"))), too_deep);
    let bed = Bed::new(&[
        ("pallet.toml", ""),
        ("pallet.star", "load(\"a.star\", \"x\")\n"),
        ("a.star", &nested("{1:", "}")),
    ]);
    assert!(first_line(&bed).starts_with("a.star:1:"), "{}", first_line(&bed));
    let chain = format!("a = 1\nx = a{}\n", " + a".repeat(20_000));
    assert!(
        first_line(&star(&chain)).starts_with("pallet.star:2:4003: this expression is too long"),
        "{}",
        first_line(&star(&chain))
    );
    let found = star("group_spec(\"web\")\n").load().inline(&nested("(", ")")).unwrap_err();
    assert!(found.0[0].message.starts_with("this is nested too deep"), "{found}");
    assert!(found.render(false).len() < 1000, "{found}");
}

#[test]
fn code_that_is_just_not_too_deep_works() {
    let deep = [
        format!("x = {}1{}{}", "(".repeat(100), " + 1".repeat(890), ")".repeat(100)),
        format!("def g(a):\n    return a{}", "(1)".repeat(999)),
        format!("def g(a):\n    return {}1{}", "a(".repeat(190), ")".repeat(190)),
        format!("def g(a):\n    return {}a", "not ".repeat(990)),
        (0..190).map(|depth| format!("{}def g(a):\n", " ".repeat(depth))).collect::<String>()
            + &" ".repeat(190)
            + "pass",
    ];
    for text in deep {
        star(&format!("{text}\ngroup_spec(\"web\")\n")).load();
    }
}

#[test]
fn configuration_that_is_nested_too_deep_is_an_error() {
    for (open, inner, close) in [("[", "", "]"), ("{a=", "1", "}")] {
        let text =
            format!("[environment]\nx = {}{inner}{}\n", open.repeat(20_000), close.repeat(20_000));
        let found = first_line(&Bed::new(&[("pallet.toml", &text), ("pallet.star", "")]));
        assert!(
            found.starts_with("pallet.toml:2:")
                && found.ends_with(": this is nested too deep; use fewer levels"),
            "{found}"
        );
    }
    let text = format!("[{}]\n", ["a"; 20_000].join("."));
    assert!(
        first_line(&Bed::new(&[("pallet.toml", &text), ("pallet.star", "")]))
            .starts_with("pallet.toml:1:")
    );
}

fn set_settings(value: &str, expected: Expect) {
    let code = format!(
        "def grow(x, n):\n    for i in range(n):\n        x = {value}\n    return x\n\
         request.set_settings(\"a\", b = grow(1, 5000))"
    );
    let bed = star("group_spec(\"web\")\n");
    expected.assert_eq(&run(&bed.load().inline(&code).unwrap()).unwrap_err().message);
}

#[test]
fn values_that_are_too_deep_or_too_many_are_no_plain_data() {
    set_settings(
        "[x]",
        expect![
            "request.set_settings: `b` is nested too deep: more than 100 levels of lists and dicts"
        ],
    );
    set_settings(
        "{\"x\": x}",
        expect![
            "request.set_settings: `b` is nested too deep: more than 100 levels of lists and dicts"
        ],
    );
    set_settings(
        "struct(x = x)",
        expect![
            "request.set_settings: `b` is nested too deep: more than 100 levels of lists and dicts"
        ],
    );
    let code = "def grow(x, n):\n    for i in range(n):\n        x = [x, x]\n    return x\n\
        request.set_settings(\"a\", b = grow(1, 60))";
    let found =
        run(&star("group_spec(\"web\")\n").load().inline(code).unwrap()).unwrap_err().message;
    expect!["request.set_settings: `b` is too big: it holds more than 1000000 values"]
        .assert_eq(&found);
    let code = "request.set_settings(\"a\", b = json.decode(\"[\" * 20000 + \"]\" * 20000))";
    let found =
        run(&star("group_spec(\"web\")\n").load().inline(code).unwrap()).unwrap_err().message;
    expect!["recursion limit exceeded at line 1 column 128"].assert_eq(&found);
}
