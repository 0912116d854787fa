//! The password of a user: compared and set on the node, so that no program's arguments hold its
//! hash.

use super::super::{Action, ActionError};
use super::User;
use super::manage::Differences;
use crate::observe::{NodeState, Reading};
use crate::script::quote;

impl User {
    /// Refuses what is no hash.
    pub(super) fn check_password(&self) -> Result<(), ActionError> {
        let Some(hash) = &self.password else { return Ok(()) };
        // a password itself would let nobody in, and stand on the node for all to read
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

    /// Prints whether the user has the password that is wanted: it is compared on the node, and no
    /// program's arguments hold it.
    pub(super) fn password_question(&self) -> Option<String> {
        let hash = quote(self.password.as_ref()?);
        let name = self.name.replace('.', "\\.");
        Some(format!(
            "if [ \"$(sed -n 's/^{name}:\\([^:]*\\):.*/\\1/p' /etc/shadow)\" = {hash} ]; \
            then echo same; else echo other; fi"
        ))
    }

    /// What differs of the password, which becomes as wanted.
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

    /// The password is not known any more.
    pub(super) fn forget_password(&self, node: &mut NodeState) {
        if let Some(question) = self.password_question() {
            node.forget_reading(&question);
        }
    }
}
