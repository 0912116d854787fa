//! A verb: the description of a REPL function, shared with the command of the same name.

/// A verb. What a command also describes comes from the command's own arguments.
pub(crate) struct Verb {
    /// The function's name.
    pub(crate) name: &'static str,
    /// The equivalent command.
    pub(crate) command: Option<fn() -> clap::Command>,
    /// Arguments that only the command has; a test checks this list.
    #[cfg_attr(not(test), allow(dead_code, reason = "marks that a test compares"))]
    pub(crate) command_only: &'static [&'static str],
    pub(crate) summary: Text,
    /// Additional sentences for the function's documentation.
    pub(crate) more: &'static str,
    /// Example calls.
    pub(crate) examples: &'static [&'static str],
    pub(crate) parameters: &'static [VerbParameter],
}

/// A parameter of a verb's function.
#[derive(Clone, Copy)]
pub(crate) struct VerbParameter {
    pub(crate) name: &'static str,
    pub(crate) takes: ParameterType,
    pub(crate) doc: Text,
    pub(crate) required: bool,
    /// Whether it may be positional.
    pub(crate) positional: bool,
}

/// Where a text of the documentation comes from.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    /// The command's summary.
    Command,
    /// The help of the command's argument with this id.
    Argument(&'static str),
    /// Text of the function's own.
    Own(&'static str),
}

/// The type of a parameter.
#[derive(Clone, Copy)]
pub(crate) enum ParameterType {
    /// Groups and nodes.
    Targets,
    /// Groups with counts.
    Counts,
    Phases,
    Service,
    Flag,
    Number,
    Text,
    /// Any value, described in words.
    Any(&'static str),
}

impl VerbParameter {
    /// An optional keyword parameter.
    pub(crate) const fn keyword(name: &'static str, takes: ParameterType, doc: Text) -> Self {
        VerbParameter { name, takes, doc, required: false, positional: false }
    }

    /// An optional parameter that may be positional.
    pub(crate) const fn optional(name: &'static str, takes: ParameterType, doc: Text) -> Self {
        VerbParameter { name, takes, doc, required: false, positional: true }
    }

    /// A required parameter.
    pub(crate) const fn required(name: &'static str, takes: ParameterType, doc: Text) -> Self {
        VerbParameter { name, takes, doc, required: true, positional: true }
    }
}

impl Verb {
    /// The equivalent command.
    pub(crate) fn command(&self) -> Option<clap::Command> {
        self.command.map(|command| command())
    }

    /// The function's documentation: sentences, and paragraphs that begin with `Example: `.
    pub(crate) fn doc(&self, command: Option<&clap::Command>) -> String {
        let mut doc = sentence(&text(command, self.summary));
        if !self.more.is_empty() {
            doc.push(' ');
            doc.push_str(self.more);
        }
        for example in self.examples {
            doc.push_str(&format!("\n\nExample: `{example}`"));
        }
        doc
    }

    /// The documentation of one of its parameters.
    pub(crate) fn parameter_doc(
        &self,
        command: Option<&clap::Command>,
        parameter: &VerbParameter,
    ) -> String {
        sentence(&text(command, parameter.doc))
    }
}

fn text(command: Option<&clap::Command>, text: Text) -> String {
    let found = match text {
        Text::Own(text) => return text.to_owned(),
        Text::Command => command.and_then(clap::Command::get_about),
        Text::Argument(id) => command
            .and_then(|command| command.get_arguments().find(|argument| argument.get_id() == id))
            .and_then(clap::Arg::get_help),
    };
    found.map(ToString::to_string).unwrap_or_default()
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

/// The command with these arguments.
pub(super) fn command<A: clap::Args>(name: &'static str) -> clap::Command {
    A::augment_args(clap::Command::new(name))
}
