//! Lines from a pipe, and scripts: output and exit codes.

use pallet_tests::{Output, Project};

use super::project;

fn piped(project: &Project, input: &str) -> Output {
    project.start_with_input(&["repl"], input).wait()
}

#[test]
fn values_are_printed_and_there_is_no_prompt() {
    let input = "1 + 1\nx = [1]\nx.append(2)\nx\n\"text\"\nNone\n\n\
        def f(n):\n    if n:\n        return \"yes\"\n\n    return \"no\"\n# of f\nf(1)\n\
        if x:\n    print(\"printed\")\nelse:\n    print(\"never\")\n[\n  f(0),\n]\n";
    let output = piped(&project(), input).exits(0);
    assert_eq!(output.stdout, "2\n[1, 2]\n\"text\"\n\"yes\"\nprinted\n[\"no\"]\n", "{output}");
    let output =
        piped(&project(), "[group.name for group in groups()]\ngroups()\nservices()\n").exits(0);
    let expected = "[\"web\", \"data-base\"]\n\
        NAME       COUNT  PHASES              DEFAULT PHASES\n\
        web        1      configure, restart  configure\n\
        data-base  0                          configure\n\
        NAME     PROVIDER  IN USE\n\
        sandbox  sandbox   yes\n";
    assert_eq!(output.stdout, expected, "{output}");
    let output = project()
        .start_with_input(
            &["repl", "--output", "json"],
            "{\"a\": [1]}\n\
        print(2)\n",
        )
        .wait()
        .exits(0);
    assert_eq!(
        output.stdout,
        "{\"event\":\"value\",\"value\":{\"a\":[1]}}\n\
        {\"event\":\"print\",\"message\":\"2\"}\n",
        "{output}"
    );
}

#[test]
fn the_first_mistake_ends_it() {
    let output = piped(&project(), "1\n\nx = lift(wbe)\n2\n")
        .exits(2)
        .says("there is no `wbe`")
        .says("standard input:3:10");
    assert_eq!(output.stdout, "1\n", "{output}");
    piped(&project(), "fail(\"no\")\n3\n").exits(2).says("no").never_says("3\n");
    piped(&project(), "f(\n").exits(2).says("syntax error");
    piped(&project(), "check()\nload(\"@nginx\", \"site\")\nhelp(site)\n")
        .exits(0)
        .says("the project is valid: 2 groups")
        .says("nginx.site(request");
    piped(&project(), "load(\"lib.star\", \"x\")\n")
        .exits(2)
        .says("`lib.star` cannot be loaded here");
    piped(&project(), "use_service(\"sandbx\")\n").exits(2).says("there is no service `sandbx`");
    piped(&project(), "with_admin_user({\"sudo_password\": \"x\"})\n")
        .exits(2)
        .says("secrets do not belong in code");
}

#[test]
fn reload_takes_what_changed_and_keeps_what_works() {
    let project = project();
    let input = "web = 1\ndata_base\nreload()\nweb\nadded\n";
    let mut running = project.start_with_input(&["repl"], input);
    running.wait_for("group_spec(\"data-base\")");
    running.wait().exits(2).says("there is no `added`").says("your definition of `web`");

    project.write("later.star", "added = 1\n");
    let script = "def change():\n    pass\nreload()\n";
    project.write("pallet.star", format!("{}\nbroken(\n", super::STAR));
    project.start_with_input(&["repl"], script).wait().exits(2).says("syntax error");
}

#[test]
fn a_script_runs_with_the_same_functions() {
    let project = project();
    project.write(
        "script.star",
        "def count(groups):\n    return len(groups)\n\ncount(groups())\n\
         print(\"groups:\", count(groups()))\nlift(web)\n",
    );
    let script = project.directory().join("script.star");
    let output = project.run(&["run", script.to_str().unwrap()]).exits(0);
    assert_eq!(output.stdout, "groups: 2\nno nodes; nothing to do (0.0 s)\n", "{output}");
    // everything is checked before anything runs
    project.write("script.star", "print(1)\n\nlift(wbe)\n");
    let output = project.run(&["run", script.to_str().unwrap()]).exits(2).says("script.star:3:6");
    assert_eq!(output.stdout, "", "{output}");
    project.run(&["run", "nothing.star"]).exits(2).says("cannot read nothing.star");
    project.run(&["run", "web"]).exits(2).says("run FILE.star");
}
