//! Passwords that the user types.

use std::fmt;

use pallet_core::transport::{Prompt, Secret};

use crate::output::Printer;

/// Asks at the terminal; without one, it asks nobody.
pub(crate) struct TerminalPrompt {
    pub(crate) interactive: bool,
    pub(crate) printer: Printer,
}

impl fmt::Debug for TerminalPrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalPrompt").field("interactive", &self.interactive).finish()
    }
}

impl Prompt for TerminalPrompt {
    fn secret(&self, question: &str) -> Option<Secret> {
        if !self.interactive {
            return None;
        }
        let _asking = self.printer.asking();
        rpassword::prompt_password(format!("{question}: ")).ok().map(Secret::new)
    }
}
