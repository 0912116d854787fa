//! Runs the blocks of documents.
//!
//! A block marked `console` contains commands. If it has lines with `$ `, these are commands, and
//! other lines are output: `...` stands for any lines or, within a line, for any text. Otherwise
//! every line is a command. `\` at the end of a line continues it. A block marked `pycon` is typed
//! into the REPL in the same way, with `>>> `. A block with a language and a file name, such as
//! `toml pallet.toml`, is that file. All other blocks are only for readers.

use std::collections::BTreeSet;

/// A block of a document that does something.
#[derive(Debug, PartialEq)]
pub(crate) enum Block {
    /// A file is written.
    File {
        /// Its path, relative to the document's project.
        path: String,
        /// Its content.
        text: String,
    },
    /// Commands are run.
    Console(Vec<Step>),
    /// Lines are typed into the REPL.
    Session(Vec<Step>),
}

/// One command, with the output that is shown below it.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) output: Vec<String>,
}

/// The blocks that do something, in order.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(mark) = line.trim().strip_prefix("```").filter(|mark| !mark.is_empty()) else {
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
        match mark.split_once(' ') {
            Some((_, path)) => {
                blocks.push(Block::File { path: path.to_owned(), text: block.join("\n") + "\n" })
            }
            None if mark == "console" => {
                blocks.push(Block::Console(steps(&block, "$ ", |command| command.ends_with('\\'))))
            }
            None if mark == "pycon" => blocks.push(Block::Session(session(&block))),
            None => {}
        }
    }
    blocks
}

fn steps(block: &[&str], prompt: &str, continues: impl Fn(&str) -> bool) -> Vec<Step> {
    let transcript = block.iter().any(|line| line.starts_with(prompt));
    let mut steps: Vec<Step> = Vec::new();
    let mut continued = false;
    for line in block {
        match (if transcript { line.strip_prefix(prompt) } else { Some(*line) }, steps.last_mut()) {
            (_, Some(step)) if continued => step.command.push_str(&format!("\n{line}")),
            (Some(command), _) => {
                steps.push(Step { command: command.to_owned(), output: Vec::new() })
            }
            (None, Some(step)) => step.output.push((*line).to_owned()),
            (None, None) => panic!("a block begins with output: {line}"),
        }
        continued = continues(line);
    }
    steps
}

/// Inputs of the REPL: `>>> ` begins one, `... ` continues it, and other lines are output.
fn session(block: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block {
        let more = line.strip_prefix("... ").or((*line == "...").then_some(""));
        match (line.strip_prefix(">>> "), more, steps.last_mut()) {
            (Some(input), ..) => steps.push(Step { command: input.to_owned(), output: Vec::new() }),
            (None, Some(more), Some(step)) if step.output.is_empty() => {
                step.command.push_str(&format!("\n{more}"))
            }
            (None, _, Some(step)) => step.output.push((*line).to_owned()),
            (None, _, None) => panic!("a block begins with output: {line}"),
        }
    }
    steps
}

/// Asserts that the output contains the lines in order; `...` stands for any lines or, within a
/// line, for any text.
#[track_caller]
pub(crate) fn is_shown(document: &str, shown: &[String], output: &str) {
    // columns are as wide as the longest address
    let narrow = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = output.lines();
    for line in shown.iter().filter(|line| line.trim() != "..." && !line.trim().is_empty()) {
        assert!(
            lines.any(|actual| matches(&narrow(line), &narrow(actual))),
            "{document} shows this line, and it did not come: {line}\n{output}"
        );
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once("...") {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len())
                .filter(|at| text.is_char_boundary(*at))
                .any(|at| matches(rest, &text[at..]))
        }),
    }
}

/// The prediction of a dry run, to be compared with the actual changes.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// `NODE: PHASE: ACTION SUBJECT: ` of every change, and whether it is sure.
    changes: Vec<(String, bool)>,
    /// What is decided on existing nodes: action and subject.
    pub(crate) open: BTreeSet<String>,
}

/// The dry run of a command that changes nodes; `None` for any other.
pub(crate) fn dry_run_of(command: &str) -> Option<String> {
    let changes =
        ["pallet-cli converge", "pallet-cli lift"].iter().any(|start| command.starts_with(start));
    let looks = ["--dry-run", "--drift-only"].iter().any(|option| command.contains(option));
    (changes && !looks && !command.contains(['|', '&', ';', '<', '>', '$', '\n']))
        .then(|| format!("{command} --dry-run --output json"))
}

/// The dry run of the call in an input of the REPL that changes nodes; `None` for any other.
pub(crate) fn dry_run_of_input(input: &str) -> Option<String> {
    if input.starts_with("def ") {
        return None;
    }
    let starts =
        ["converge(", "lift("].iter().flat_map(|name| input.match_indices(name).map(|(at, _)| at));
    let start = starts
        .filter(|at| {
            !input[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
        })
        .min()?;
    let mut depth = 0;
    let end = input[start..].find(|character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        character == ')' && depth == 0
    })?;
    let call = &input[start..start + end];
    (!call.contains("dry_run")).then(|| format!("{call}, dry_run = True)"))
}

impl Plan {
    /// Reads the events of a dry run.
    pub(crate) fn of(output: &str) -> Self {
        let mut plan = Plan::default();
        for event in
            output.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        {
            let word = |name: &str| event[name].as_str().unwrap_or_default();
            let sure = word("certainty") == "will";
            if word("event") != "planned" || !(sure || word("certainty") == "may") {
                continue;
            }
            plan.changes.push((place(&event), sure));
            if !sure && event["predicted"] != true {
                plan.open.insert(format!("{} {}", word("action"), word("subject")));
            }
        }
        plan
    }

    /// Reads the text of a dry run: `~` for certain changes, `?` for those that the node decides.
    pub(crate) fn of_text(output: &str) -> Self {
        let mut plan = Plan::default();
        for line in output.lines().flat_map(of_each_node) {
            let Some((sure, change)) = line
                .strip_prefix("~ ")
                .map(|rest| (true, rest))
                .or(line.strip_prefix("? ").map(|rest| (false, rest)))
            else {
                continue;
            };
            let (place, _summary) = change.rsplit_once(": ").unwrap_or((change, ""));
            plan.changes.push((format!("{}: ", place.replacen(" (predicted)", "", 1)), sure));
            if !sure && !place.contains(" (predicted)") {
                plan.open.insert(place.splitn(3, ": ").last().unwrap_or_default().to_owned());
            }
        }
        plan
    }

    /// Asserts that all certain changes were made, and no others except those left open. `shown` is
    /// text or events.
    #[track_caller]
    pub(crate) fn was_true(&self, document: &str, command: &str, shown: &str) {
        let lines: Vec<String> = shown.lines().flat_map(of_each_node).collect();
        let told = lines.iter().filter_map(|line| line.strip_prefix("~ ").map(str::to_owned));
        let events =
            shown.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let events = events
            .filter(|event| event["event"] == "action" && event["changed"] == true)
            .map(|event| place(&event));
        let changed: Vec<String> = told.chain(events).collect();
        for (change, _) in self.changes.iter().filter(|(_, sure)| *sure) {
            let did = changed.iter().any(|line| line.starts_with(change.as_str()));
            assert!(
                did,
                "{document}: the plan of `{command}` said that this changes, and it did \
                not: {change}\n{shown}"
            );
        }
        for line in changed {
            let said = self.changes.iter().any(|(change, _)| line.starts_with(change.as_str()));
            assert!(
                said,
                "{document}: `{command}` changed what was not in its plan: {line}\n\
                {:#?}",
                self.changes
            );
        }
    }
}

/// A line about several nodes, `~ db-1, web-[1:2]: ...`, as a line for each of them.
fn of_each_node(line: &str) -> Vec<String> {
    let parts = line.split_once(' ').zip(line.split_once(": "));
    let Some(((mark, _), (begin, rest))) = parts.filter(|((mark, _), _)| "~?".contains(mark))
    else {
        return vec![line.to_owned()];
    };
    let names = begin.strip_prefix(mark).unwrap_or_default().trim();
    let (names, suffix) = match names.strip_suffix(" (predicted)") {
        Some(names) => (names, " (predicted)"),
        None => (names, ""),
    };
    let expanded = names.split(", ").flat_map(|word| {
        let range = word.strip_suffix(']').and_then(|word| word.split_once('['));
        let numbers = range.and_then(|(stem, range)| Some((stem, range.split_once(':')?)));
        match numbers {
            Some((stem, (first, last))) => {
                let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
                (first..=last).map(|number| format!("{stem}{number}")).collect()
            }
            None => vec![word.to_owned()],
        }
    });
    expanded.map(|name| format!("{mark} {name}{suffix}: {rest}")).collect()
}

/// `NODE: PHASE: ACTION SUBJECT: ` of an event.
fn place(event: &serde_json::Value) -> String {
    let word = |name: &str| event[name].as_str().unwrap_or_default();
    format!("{}: {}: {} {}: ", word("node"), word("phase"), word("action"), word("subject"))
}

#[test]
fn plans_are_compared() {
    let event = |subject: &str, certainty: &str| {
        format!(
            r#"{{"event":"planned","node":"a-1","phase":"configure","action":"file","subject":"{subject}","certainty":"{certainty}"}}"#
        )
    };
    let plan = Plan::of(&format!("a warning\n{}\n{}\n", event("/a", "will"), event("/b", "may")));
    assert_eq!(plan.open.iter().map(String::as_str).collect::<Vec<_>>(), ["file /b"]);
    plan.was_true("x", "lift", "~ a-1: configure: file /a: create file\nnodes: 1 changed\n");
    let untrue = |shown: &'static str| {
        std::panic::catch_unwind(|| Plan::of(&event("/a", "will")).was_true("x", "lift", shown))
            .is_err()
    };
    assert!(untrue("nothing to change\n"));
    assert!(untrue("~ a-1: configure: file /a: create\n~ a-1: configure: file /c: create\n"));
    let text = Plan::of_text(
        "~ a-1: configure: file /a: create\n\
         ? a-1: configure: file /b: ensure file (known after apply)\n\
         ? b-1 (predicted): inline: x y: z\n",
    );
    assert_eq!(text.open.iter().map(String::as_str).collect::<Vec<_>>(), ["file /b"]);
    text.was_true("x", "lift", "~ a-1: configure: file /a: create\n~ b-1: inline: x y: z\n");
    let grouped = Plan::of_text("~ a-[1:2], b (predicted): configure: file /a: create\n");
    let each = "~ a-1: configure: file /a: create\n~ a-2, b: configure: file /a: create\n";
    grouped.was_true("x", "lift", each);
    text.was_true(
        "x",
        "lift",
        &event("/a", "will")
            .replace("planned", "action")
            .replace(r#""certainty":"will""#, r#""changed":true"#),
    );
    assert_eq!(dry_run_of_input("r = lift(web)").as_deref(), Some("lift(web, dry_run = True)"));
    let planned = dry_run_of_input("[node for node in lift(web, phase = lambda r: a(r)).nodes]");
    assert_eq!(planned.as_deref(), Some("lift(web, phase = lambda r: a(r), dry_run = True)"));
    assert!(
        dry_run_of_input("lift(web, dry_run = True)").is_none()
            && dry_run_of_input("nodes()").is_none()
    );
    assert!(
        dry_run_of("pallet-cli lift").is_some()
            && dry_run_of("pallet-cli lift --dry-run").is_none()
    );
    assert!(
        dry_run_of("pallet-cli lift || true").is_none() && dry_run_of("pallet-cli nodes").is_none()
    );
}

#[test]
fn blocks_are_read() {
    let text = "# x\n```console\n$ one \\\n  two\nout\n$ three\n```\n```sh\n$ not this\n```\n\
        ```toml a/b.toml\nc = 1\n```\n";
    let step = |command: &str, output: &[&str]| Step {
        command: command.into(),
        output: output.iter().map(|line| (*line).to_owned()).collect(),
    };
    let file = Block::File { path: "a/b.toml".into(), text: "c = 1\n".into() };
    assert_eq!(
        blocks(text),
        [Block::Console(vec![step("one \\\n  two", &["out"]), step("three", &[])]), file]
    );
    let all = Block::Console(vec![step("one \\\n  two", &[]), step("three", &[])]);
    assert_eq!(blocks("```console\none \\\n  two\nthree\n```\n"), [all]);
    let typed =
        Block::Session(vec![step("def a():\n    pass\n", &[]), step("1 + 1", &["2", "..."])]);
    assert_eq!(
        blocks("```pycon\n>>> def a():\n...     pass\n...\n>>> 1 + 1\n2\n...\n```\n"),
        [typed]
    );
}

#[test]
fn shown_output_may_leave_out() {
    is_shown(
        "README.md",
        &["begin".into(), "...".into(), "took ... s".into()],
        "begin\n\
        middle\n  took 1.2 s\n",
    );
    assert!(!matches("took ... s", "took 3 m"));
}
