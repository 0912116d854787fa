//! Logging in with a password.

use ssh2::{KeyboardInteractivePrompt, Prompt, Session};

use super::super::super::{Secret, TransportError};
use super::login::Login;

impl Login<'_> {
    /// Offers the password, if there is one and the server accepts passwords.
    pub(super) async fn with_password(&mut self) -> Result<bool, TransportError> {
        let (plain, interactive) = (self.takes("password"), self.takes("keyboard-interactive"));
        let Some(password) = self.to.password.clone() else {
            return Ok(false);
        };
        let user = self.to.user.clone();
        if plain {
            let call = |session: &Session| session.userauth_password(&user, password.expose());
            match self.link.drive_within(self.limit, "the login", call).await? {
                Ok(()) => return Ok(true),
                Err(error) => self.still_there(&error).await?,
            }
        }
        if interactive {
            let mut answers = Answers(password);
            let call =
                |session: &Session| session.userauth_keyboard_interactive(&user, &mut answers);
            match self.link.drive_within(self.limit, "the login", call).await? {
                Ok(()) => return Ok(true),
                Err(error) => self.still_there(&error).await?,
            }
        }
        if plain || interactive {
            self.tried.push("the password was refused".to_owned());
        }
        Ok(false)
    }
}

/// Answers each hidden prompt of the server with the password.
struct Answers(Secret);

impl KeyboardInteractivePrompt for Answers {
    fn prompt<'a>(
        &mut self,
        _user: &str,
        _instructions: &str,
        questions: &[Prompt<'a>],
    ) -> Vec<String> {
        questions
            .iter()
            .map(|question| if question.echo { String::new() } else { self.0.expose().to_owned() })
            .collect()
    }
}
