//! The next session has the history, which only its owner can read.

use std::os::unix::fs::PermissionsExt;

use pallet_tests::{END, UP};

use super::project;

#[test]
fn the_next_session_remembers() {
    let project = project();
    let mut terminal = project.repl(&[]);
    terminal.enter("def f():\r    return 4\r");
    terminal.enter("first = 1");
    terminal.enter("second = 2");
    terminal.enter("second = 2");
    terminal.enter(" hidden = 3");
    terminal.press(END);
    assert_eq!(terminal.ends(), 0);

    let file = project.home().join(".local/share/pallet/history");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mut terminal = project.repl(&[]);
    terminal.press(UP);
    terminal.wait_for_line(">>> second = 2");
    terminal.press(UP);
    terminal.wait_for_line(">>> first = 1");
    terminal.press(UP);
    terminal.wait_for_line("    return 4");
    terminal.interrupt();
    // names are another matter
    assert!(terminal.enter("first").contains("there is no `first`"));
    assert!(terminal.enter("hidden").contains("there is no `hidden`"));
}
