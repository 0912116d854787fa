//! The password of a user: compared and set on the node, so that its hash is never in a program's
//! arguments.

use super::super::{Action, ActionError};
use super::User;
use super::manage::Differences;
use crate::observe::{NodeState, Reading};
use crate::script::quote;

impl User {
    /// Refuses text that is not a password hash.
    pub(super) fn check_password(&self) -> Result<(), ActionError> {
        let Some(hash) = &self.password else { return Ok(()) };
        // a plain password would not work, and everybody on the node could read it
        let hashed = hash.starts_with(['$', '!', '*'])
            && hash.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        match hashed {
            true => Ok(()),
            false => Err(ActionError::arguments(
                Self::NAME,
                "the password is no hash of crypt(3); make one with `openssl passwd -6`",
            )),
        }
    }

    /// A command that prints whether the user has the wanted password. The comparison happens on
    /// the node, and the hash is not in any program's arguments.
    pub(super) fn password_question(&self) -> Option<String> {
        let hash = quote(self.password.as_ref()?);
        let name = self.name.replace('.', "\\.");
        Some(format!(
            "if [ \"$(sed -n 's/^{name}:\\([^:]*\\):.*/\\1/p' /etc/shadow)\" = {hash} ]; \
            then echo same; else echo other; fi"
        ))
    }

    /// Compares the password, and records that it will be the wanted one.
    pub(super) fn compare_password(
        &self,
        node: &mut NodeState,
        differences: &mut Differences,
    ) -> bool {
        let Some(question) = self.password_question() else { return false };
        let before =
            node.set_reading(&question, Reading { exit: 0, output: "same".to_owned(), of: None });
        match before.known() {
            Some(reading) if reading.output == "same" => return false,
            Some(_) => {
                differences.known.push("password");
                differences.diff.push_str("~ password\n");
            }
            None => differences.unknown.push("password"),
        }
        true
    }

    /// Forgets the password.
    pub(super) fn forget_password(&self, node: &mut NodeState) {
        if let Some(question) = self.password_question() {
            node.forget_reading(&question);
        }
    }
}
