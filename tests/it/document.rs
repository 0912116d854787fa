//! Documents whose blocks are run.
//!
//! A block marked `console` has commands. In one with `$ `, that begins a command, and other lines are output: `...` stands for any lines, and in a line for
//! any text. In one without, every line is a command. `\` at its end continues a command. A block marked `pycon` is typed into the REPL in the same
//! way, after `>>> `. A block with a language and a name, such as `toml pallet.toml`, is that file. All other blocks are for people only.

/// A block of a document that does something.
#[derive(Debug, PartialEq)]
pub(crate) enum Block {
    /// A file is written.
    File {
        /// Its path, relative to the document's project.
        path: String,
        /// What is in it.
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
        let Some(mark) = line.trim().strip_prefix("```").filter(|mark| !mark.is_empty()) else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
        match mark.split_once(' ') {
            Some((_, path)) => blocks.push(Block::File { path: path.to_owned(), text: block.join("\n") + "\n" }),
            None if mark == "console" => blocks.push(Block::Console(steps(&block, "$ ", |command| command.ends_with('\\')))),
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
            (Some(command), _) => steps.push(Step { command: command.to_owned(), output: Vec::new() }),
            (None, Some(step)) => step.output.push((*line).to_owned()),
            (None, None) => panic!("a block begins with output: {line}"),
        }
        continued = continues(line);
    }
    steps
}

/// Inputs of the REPL: `>>> ` begins one, `... ` goes on with it, and other lines are output.
fn session(block: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block {
        let more = line.strip_prefix("... ").or((*line == "...").then_some(""));
        match (line.strip_prefix(">>> "), more, steps.last_mut()) {
            (Some(input), ..) => steps.push(Step { command: input.to_owned(), output: Vec::new() }),
            (None, Some(more), Some(step)) if step.output.is_empty() => step.command.push_str(&format!("\n{more}")),
            (None, _, Some(step)) => step.output.push((*line).to_owned()),
            (None, _, None) => panic!("a block begins with output: {line}"),
        }
    }
    steps
}

/// Asserts that the lines stand in the output, in order; `...` stands for any lines, and so does `...` in a line for any text.
#[track_caller]
pub(crate) fn is_shown(document: &str, shown: &[String], output: &str) {
    let mut lines = output.lines();
    for line in shown.iter().filter(|line| line.trim() != "..." && !line.trim().is_empty()) {
        assert!(
            lines.any(|actual| matches(line.trim(), actual.trim())),
            "{document} shows this line, and it did not come: {line}\n{output}"
        );
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once("...") {
        None => pattern == text,
        Some((start, rest)) => text
            .strip_prefix(start)
            .is_some_and(|text| (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))),
    }
}

#[test]
fn blocks_are_read() {
    let text = "# x\n```console\n$ one \\\n  two\nout\n$ three\n```\n```sh\n$ not this\n```\n```toml a/b.toml\nc = 1\n```\n";
    let step =
        |command: &str, output: &[&str]| Step { command: command.into(), output: output.iter().map(|line| (*line).to_owned()).collect() };
    let file = Block::File { path: "a/b.toml".into(), text: "c = 1\n".into() };
    assert_eq!(blocks(text), [Block::Console(vec![step("one \\\n  two", &["out"]), step("three", &[])]), file]);
    let all = Block::Console(vec![step("one \\\n  two", &[]), step("three", &[])]);
    assert_eq!(blocks("```console\none \\\n  two\nthree\n```\n"), [all]);
    let typed = Block::Session(vec![step("def a():\n    pass\n", &[]), step("1 + 1", &["2", "..."])]);
    assert_eq!(blocks("```pycon\n>>> def a():\n...     pass\n...\n>>> 1 + 1\n2\n...\n```\n"), [typed]);
}

#[test]
fn shown_output_may_leave_out() {
    is_shown("README.md", &["begin".into(), "...".into(), "took ... s".into()], "begin\nmiddle\n  took 1.2 s\n");
    assert!(!matches("took ... s", "took 3 m"));
}
