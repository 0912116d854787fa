//! Interactive input: completion, continued lines, errors, Ctrl-C.

use pallet_tests::END;

use super::project;

#[test]
fn tab_completes_names_keywords_attributes_and_strings() {
    let project = project();
    let mut terminal = project.repl(&[]);
    for (keys, completed) in [
        ("remote_f\t", "remote_file"),
        ("nginx.si\t", "nginx.site"),
        ("remote_file(request, \"/x\", cont\t", "remote_file(request, \"/x\", content ="),
        ("lift(web, pha\t", "lift(web, phase ="),
        ("lift(web, phase = \"re\t", "lift(web, phase = \"restart\""),
        ("converge({\"da\t", "converge({\"data-base\""),
        ("data_b\t", "data_base"),
        ("load(\"@ngi\t", "load(\"@nginx\""),
        ("use_service(\"sa\t", "use_service(\"sandbox\""),
    ] {
        terminal.press(keys);
        terminal.wait_for_line(&format!(">>> {completed}"));
        terminal.interrupt();
    }
    // if there are several, all are shown
    terminal.press("nginx.\t\t");
    for function in ["install", "page", "service", "site", "undrain"] {
        terminal.wait_for(function);
    }
    // what is typed before the next prompt may be lost
    terminal.interrupt();
    // definitions are completed from then on
    terminal.enter("my_own_name = struct(field_of_it = 1)");
    terminal.press("my_o\t.fi\t");
    terminal.wait_for_line(">>> my_own_name.field_of_it");
}

#[test]
fn an_input_goes_on_until_it_is_whole() {
    let mut terminal = project().repl(&[]);
    assert!(terminal.enter("x = [1,\r2,\r3]").ends_with("3]"));
    assert!(
        terminal
            .enter(
                "def double(items):\r    found = []\r    for item in items:\r        \
                found.append(item * 2)\r    return found\r"
            )
            .contains("return found")
    );
    assert!(terminal.enter("double(x)").ends_with("\n[2, 4, 6]"));
    // values can be modified, and functions see names as they are when they run
    terminal.enter("x.append(4)");
    assert!(terminal.enter("double(x)[-1] + _[0]").ends_with("\n10"));
    terminal.enter("def port(): return 80");
    terminal.enter("def place(): return \"host:\" + str(port())");
    terminal.enter("def port(): return 81");
    assert!(terminal.enter("place()").ends_with("\n\"host:81\""));
}

#[test]
fn a_mistake_is_one_error_and_the_session_goes_on() {
    let mut terminal = project().repl(&[]);
    let shown = terminal.enter("y = lift(wbe)");
    assert!(
        shown.contains("error: there is no `wbe`") && shown.contains("help: did you mean `web`?"),
        "{shown}"
    );
    assert_eq!(shown.matches("error").count(), 1, "{shown}");
    let shown = terminal.enter("nginx.site(request, prt = 1)");
    assert!(shown.contains("nginx.site has no parameter `prt`"), "{shown}");
    let shown = terminal.enter("lift(web, phase = 7)");
    assert!(
        shown.contains(
            "`phase` must be the name of a phase, a function of the request, or a \
        list of them, not 7"
        ),
        "{shown}"
    );
    let shown = terminal.enter("converge({\"wbe\": 1})");
    assert!(
        shown.contains("converge: there is no group wbe") && shown.contains("did you mean `web`?"),
        "{shown}"
    );
    let shown = terminal.enter("package(\"tree\")");
    assert!(shown.contains("the first argument must be the request"), "{shown}");
    let shown = terminal.enter("1 +");
    assert!(shown.contains("syntax error"), "{shown}");
    assert!(terminal.enter("1 + 1").ends_with("\n2"));
    terminal.press(END);
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn ctrl_c_gives_up_a_line_and_stops_a_loop() {
    let mut terminal = project().repl(&[]);
    terminal.press("nonsense(");
    terminal.interrupt();
    assert!(terminal.enter("1").ends_with("\n1"));
    terminal.press("[x for x in range(1000000000)]\r");
    std::thread::sleep(std::time::Duration::from_millis(700));
    let shown = terminal.interrupt();
    assert!(shown.contains("stopped"), "{shown}");
    assert!(terminal.enter("2").ends_with("\n2"));
}

#[test]
fn help_explains_what_there_is() {
    let mut terminal = project().repl(&[]);
    let shown = terminal.enter("help()");
    for function in ["converge(", "lift(", "with_admin_user(", "show_group(", "explain_session("] {
        assert!(shown.contains(function), "{function} is missing\n{shown}");
    }
    let shown = terminal.enter("help(nginx.site)");
    assert!(
        shown.contains("nginx.site(request, name, ...)")
            && shown.contains("The TCP port to listen on for requests"),
        "{shown}"
    );
    assert_eq!(
        terminal.enter("help(\"nginx.site\")").split_once('\n').unwrap().1,
        shown.split_once('\n').unwrap().1
    );
    assert!(terminal.enter("help(remote_file)").contains("Every action also takes"));
    let lift = terminal.enter("help(lift)");
    assert!(lift.contains("phase: the name of a phase, a function of the request"), "{lift}");
    assert!(terminal.enter("help(group_spec)").contains("group_spec(name, ...)"));
    assert!(terminal.enter("help(web)").contains("web is a group; phases: configure, restart"));
    assert!(terminal.enter("help(configure)").contains("Makes a page."));
    assert!(terminal.enter("help(\"no.such\")").contains("there is no action or crate"));
    // the end of all functions: it is longer than what the terminal keeps
    assert!(terminal.enter("help(nginx)").contains("nginx.service(request)"));
}
