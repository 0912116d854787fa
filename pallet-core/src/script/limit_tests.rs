//! Tests of timeouts, in all shells.

use std::time::{Duration, Instant};

use super::library_for;
use super::shells::{Shell, shells};

/// Runs a part with a timeout. Returns the output, its result, and how long it took.
fn run(shell: &Shell, limit: &str, part: &str) -> (String, String, Duration) {
    let script = format!(
        "token=T\n{limit}\n(\nset -e\nexport PALLET_LIMIT=\"$limit_mark\"\n{part}\n) 2>&1 9>&-\n\
         result=$?\nlimit_end\nprintf 'result %s\\n' \"$result\"\n"
    );
    let script = format!("{}{script}", library_for(&script));
    let begun = Instant::now();
    let output = shell.run(&format!("{{\n{script}}} </dev/null\n"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (said, result) = said.rsplit_once("result ").unwrap_or((&said, ""));
    (said.to_owned(), result.trim().to_owned(), begun.elapsed())
}

/// The processes whose command line has this word.
fn running(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.split_whitespace().any(|one| one == word) {
            found.push(line);
        }
    }
    found
}

#[test]
fn what_ends_in_time_is_left_alone() {
    for shell in shells() {
        let (said, result, took) = run(&shell, "limit 7771 0", "echo hello; exit 3");
        assert_eq!((said.as_str(), result.as_str()), ("hello\n", "3"), "{shell}");
        assert!(took < Duration::from_secs(5), "{shell}: {took:?}");
        assert_eq!(running("7771"), Vec::<String>::new(), "{shell}: the clock is left");
    }
}

#[test]
fn all_processes_of_what_takes_too_long_are_ended() {
    // below it, without a parent, in a session of its own, and deaf to TERM
    let part = "sh -c 'sleep 7772; :' &\n(sleep 7773 &)\nsetsid sleep 7774 &\n\
        sh -c 'trap \"\" TERM; sleep 7775; sleep 7775; :' &\necho begun\nsleep 7776\necho never\n";
    for shell in shells() {
        let (said, result, took) = run(&shell, "limit 1 4", part);
        assert_eq!(said, "begun\n\nT reason it ran longer than its timeout of 1 s\n", "{shell}");
        assert_eq!(result, "1", "{shell}");
        assert!(took > Duration::from_secs(5) && took < Duration::from_secs(12), "{took:?}");
        for number in 7772..7777 {
            assert_eq!(running(&number.to_string()), Vec::<String>::new(), "{shell}");
        }
    }
}

#[test]
fn what_is_not_of_the_part_is_left() {
    let mut other = std::process::Command::new("sleep").arg("7780").spawn().unwrap();
    for shell in shells() {
        let (_, result, took) = run(&shell, "sleep 7781 &\nlimit 1 0", "sleep 7782");
        // whatever the shell itself started before is below it too
        assert_eq!(result, "1", "{shell}");
        assert!(took < Duration::from_secs(5), "{shell}: {took:?}");
        assert_eq!(running("7780").len(), 1, "{shell}");
    }
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_transaction_is_finished_and_fails_then() {
    for shell in shells() {
        let (said, result, took) =
            run(&shell, "limit 1 0 finish", "trap '' TERM\nsleep 2\necho done");
        assert_eq!(said, "done\n\nT reason it ran longer than its timeout of 1 s\n", "{shell}");
        assert_eq!(result, "1", "{shell}");
        assert!(took < Duration::from_secs(5), "{shell}: {took:?}");
    }
}

#[test]
fn cleaning_up_on_term_has_time() {
    for shell in shells() {
        let (said, result, _) = run(&shell, "limit 1 0", "on_exit 'echo cleaned'\nsleep 7785");
        assert!(said.contains("cleaned\n"), "{shell}: {said}");
        assert_eq!(result, "1", "{shell}");
    }
}
