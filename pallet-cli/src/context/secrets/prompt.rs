//! Passwords that the user types.

use pallet_core::transport::{Prompt, Secret};

/// Asks at the terminal; without one, it asks nobody.
#[derive(Debug)]
pub(crate) struct TerminalPrompt {
    pub(crate) interactive: bool,
}

impl Prompt for TerminalPrompt {
    fn secret(&self, question: &str) -> Option<Secret> {
        if !self.interactive {
            return None;
        }
        rpassword::prompt_password(format!("{question}: ")).ok().map(Secret::new)
    }
}
