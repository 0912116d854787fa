//! `pallet-cli init`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pallet_core::script::quote;

use crate::context::Context;
use crate::diagnostic::Diagnostics;
use crate::project;

/// Create a working project: two sandbox nodes that serve a web page
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// Directory to create it in
    directory: PathBuf,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let written = project::init(&self.directory).map_err(Diagnostics::from)?;
        for path in &written {
            context.printer.line(&format!("wrote {}", path.display()));
        }
        let directory = word(&self.directory);
        context.printer.line(&format!(
            "next: pallet-cli -C {directory} check, then pallet-cli -C {directory} converge"
        ));
        Ok(ExitCode::SUCCESS)
    }
}

/// A path as a word of a shell command that can be copied.
pub(crate) fn word(path: &Path) -> String {
    let path = path.to_string_lossy();
    // without `./` it would be an option
    if path.starts_with('-') { quote(&format!("./{path}")) } else { quote(&path) }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn paths_are_words_of_a_shell() {
        assert_eq!(word("shop".as_ref()), "shop");
        assert_eq!(word("we ird 'näme".as_ref()), r"'we ird '\''näme'");
        assert_eq!(word("-e".as_ref()), "./-e");
        assert_eq!(word("--my shop".as_ref()), "'./--my shop'");
    }
}
