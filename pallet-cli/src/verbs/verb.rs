//! A verb: the description of a function of the prompt, shared with the command of the same name.

/// A verb. What the command line describes too, it takes from the command's own arguments.
pub(crate) struct Verb {
    /// The function's name.
    pub(crate) name: &'static str,
    /// The command that does the same.
    pub(crate) command: Option<fn() -> clap::Command>,
    /// Arguments that only the command has; a test compares.
    #[cfg_attr(not(test), allow(dead_code, reason = "marks that a test compares"))]
    pub(crate) command_only: &'static [&'static str],
    pub(crate) summary: Text,
    /// Sentences that only the function's documentation has.
    pub(crate) more: &'static str,
    /// Calls of the function.
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
    /// It may be given by position.
    pub(crate) positional: bool,
}

/// A text of the documentation.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    /// The command's own.
    Command,
    /// That of the command's argument with this id.
    Argument(&'static str),
    /// The function's alone.
    Own(&'static str),
}

/// What a parameter takes.
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
    /// A value that these words describe.
    Any(&'static str),
}

impl VerbParameter {
    /// A parameter that is given by keyword and may be omitted.
    pub(crate) const fn keyword(name: &'static str, takes: ParameterType, doc: Text) -> Self {
        VerbParameter { name, takes, doc, required: false, positional: false }
    }

    /// A parameter that may be given by position, and may be omitted.
    pub(crate) const fn optional(name: &'static str, takes: ParameterType, doc: Text) -> Self {
        VerbParameter { name, takes, doc, required: false, positional: true }
    }

    /// A parameter that must be given.
    pub(crate) const fn required(name: &'static str, takes: ParameterType, doc: Text) -> Self {
        VerbParameter { name, takes, doc, required: true, positional: true }
    }
}

impl Verb {
    /// The command that describes it too.
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

/// The command of these arguments.
pub(super) fn command<A: clap::Args>(name: &'static str) -> clap::Command {
    A::augment_args(clap::Command::new(name))
}
