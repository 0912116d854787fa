//! The page of commands, from clap.

use clap_markdown::{MarkdownOptions, help_markdown_command_custom};

/// The page in Markdown.
pub(super) fn page(command: &clap::Command) -> String {
    let options = MarkdownOptions::new().title("Commands".to_owned()).show_footer(false);
    let page = help_markdown_command_custom(command, &options);
    let mut out = String::new();
    for line in page.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    format!("{}\n", out.trim_end())
}
