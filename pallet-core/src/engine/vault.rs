//! The secrets of an operation: looked up on first use, and redacted from all output.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::model::replace_secrets;
use crate::script::quote;
use crate::transport::Secret;

/// Looks up a secret by name. The error says what is wrong and what to do.
pub type SecretSource = dyn Fn(&str) -> Result<Secret, String> + Send + Sync;

/// The characters that programs percent-encode in URLs.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Replaces a secret in output.
const HIDDEN: &str = "***";

/// The secrets of operations.
#[derive(Default)]
pub struct Vault {
    source: Option<Box<SecretSource>>,
    /// The names of all secrets, as far as known.
    names: Vec<String>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What was looked up in this operation. A source that does not answer is asked once, not once
    /// for each node.
    found: BTreeMap<String, Result<Secret, String>>,
    /// Every form in which a secret may appear in output, longest first.
    forms: Vec<String>,
}

impl Vault {
    /// Secrets from this source. Each is looked up once in an operation, on first use.
    pub fn new(source: impl Fn(&str) -> Result<Secret, String> + Send + Sync + 'static) -> Self {
        Vault { source: Some(Box::new(source)), names: Vec::new(), known: Mutex::default() }
    }

    /// Adds the names of all secrets, so that they can be redacted even if no action uses them.
    pub fn with_names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names.extend(names);
        self
    }

    /// Looks up all secrets, so that they can be redacted from other programs' output. Returns the
    /// errors of those that cannot be found.
    pub(super) fn find_all(&self) -> Vec<String> {
        self.names.iter().filter_map(|name| self.value(name).err()).collect()
    }

    /// A new operation begins: each secret is looked up again, because it may have another value
    /// now. Old values are still redacted.
    pub(super) fn renew(&self) {
        self.known().found.clear();
    }

    /// Redacts this value too.
    pub fn hide(&self, secret: &Secret) {
        self.known().hide(secret);
    }

    /// Replaces placeholders in arguments with their secrets. Returns whether there were any.
    pub(super) fn reveal(&self, arguments: &mut Value) -> Result<bool, String> {
        match arguments {
            Value::String(text) if !text.contains('⟦') => Ok(false),
            Value::String(text) => match replace_secrets(text, |name| self.value(name))? {
                Some(revealed) => {
                    *text = revealed;
                    Ok(true)
                }
                None if text.to_lowercase().contains("⟦secret") => {
                    Err("a secret was split or changed in the project; only its whole value \
                        can be used"
                        .to_owned())
                }
                None => Ok(false),
            },
            Value::Array(items) => {
                items.iter_mut().try_fold(false, |any, item| Ok(self.reveal(item)? | any))
            }
            Value::Object(fields) => {
                fields.values_mut().try_fold(false, |any, field| Ok(self.reveal(field)? | any))
            }
            _ => Ok(false),
        }
    }

    /// Whether arguments may contain a placeholder.
    pub(super) fn concerns(arguments: &Value) -> bool {
        match arguments {
            Value::String(text) => text.contains('⟦'),
            Value::Array(items) => items.iter().any(Self::concerns),
            Value::Object(fields) => fields.values().any(Self::concerns),
            _ => false,
        }
    }

    fn value(&self, name: &str) -> Result<String, String> {
        let mut known = self.known();
        let found = match known.found.get(name) {
            Some(found) => found.clone(),
            None => {
                let found = self.look_up(name);
                found.iter().for_each(|secret| known.hide(secret));
                known.found.insert(name.to_owned(), found.clone());
                found
            }
        };
        found.map(|secret| secret.expose().to_owned())
    }

    fn look_up(&self, name: &str) -> Result<Secret, String> {
        let source = self.source.as_ref().ok_or_else(|| format!("there is no secret {name}"))?;
        let secret = source(name)?;
        if secret.expose().is_empty() {
            return Err(format!("the secret {name} is empty"));
        }
        Ok(secret)
    }

    /// The text with all secrets redacted.
    pub(super) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut redacted = Cow::Borrowed(text);
        for form in &self.known().forms {
            if redacted.contains(form.as_str()) {
                redacted = Cow::Owned(redacted.replace(form.as_str(), HIDDEN));
            }
        }
        redacted
    }

    /// Redacts all secrets in place.
    pub(super) fn redact_in(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.redact(text) {
            *text = redacted;
        }
    }

    /// Redacts a piece of a longer text, which may begin or end in the middle of a secret.
    pub(super) fn redact_piece<'a>(&self, text: &'a str, begins: bool, ends: bool) -> Cow<'a, str> {
        let mut redacted = self.redact(text);
        if begins && ends {
            return redacted;
        }
        let known = self.known();
        let cuts = |form: &str| {
            (1..form.len()).rev().filter(|at| form.is_char_boundary(*at)).collect::<Vec<_>>()
        };
        for form in &known.forms {
            let rest = if begins {
                None
            } else {
                cuts(form).into_iter().rev().find_map(|at| redacted.strip_prefix(&form[at..]))
            };
            if let Some(rest) = rest {
                redacted = Cow::Owned(format!("{HIDDEN}{rest}"));
            }
            let rest = if ends {
                None
            } else {
                cuts(form).into_iter().find_map(|at| redacted.strip_suffix(&form[..at]))
            };
            if let Some(rest) = rest {
                redacted = Cow::Owned(format!("{rest}{HIDDEN}"));
            }
        }
        redacted
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn hide(&mut self, secret: &Secret) {
        let value = secret.expose();
        // output comes line by line, so each line of a multi-line key is a secret too
        let lines = value.lines().filter(|line| line.len() >= 4);
        for text in std::iter::once(value).chain(lines).filter(|text| !text.trim().is_empty()) {
            let json = Value::from(text).to_string();
            let quoted = quote(text);
            let percent = utf8_percent_encode(text, ESCAPED).to_string();
            let forms = [
                text,
                json.trim_matches('"'),
                quoted.trim_matches('\''),
                &percent,
                &STANDARD_NO_PAD.encode(text),
            ];
            for form in forms {
                if !self.forms.iter().any(|known| known == form) {
                    self.forms.push(form.to_owned());
                }
            }
        }
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("names", &self.known().found.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret_placeholder;
    use serde_json::json;

    fn vault() -> Vault {
        Vault::new(|name| match name {
            "word" => Ok(Secret::new("it's/hunter2")),
            "key" => Ok(Secret::new("-----BEGIN\nabcdef\n-----END\n")),
            other => Err(format!("there is no secret {other}")),
        })
    }

    #[test]
    fn values_stand_in_arguments_alone() {
        let vault = vault();
        let mut arguments = json!({
            "environment": {"PW": secret_placeholder("word")}, "mode": "0600",
            "list": [1, secret_placeholder("key")],
        });
        assert_eq!(vault.reveal(&mut arguments), Ok(true));
        assert_eq!(
            arguments,
            json!({"environment": {"PW": "it's/hunter2"}, "mode": "0600", "list": [1, "-----BEGIN\n\
                abcdef\n-----END\n"]})
        );
        assert_eq!(vault.reveal(&mut arguments), Ok(false));
        assert_eq!(
            vault.reveal(&mut json!(secret_placeholder("none"))),
            Err("there is no secret none".to_owned())
        );
        assert!(vault.reveal(&mut json!(secret_placeholder("word").to_uppercase())).is_err());
        assert_eq!(format!("{vault:?}"), r#"Vault { names: ["key", "none", "word"], .. }"#);
    }

    #[test]
    fn an_operation_looks_once_and_the_next_one_again() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let asked = AtomicUsize::new(0);
        let vault = Vault::new(move |name| match (name, asked.fetch_add(1, Ordering::Relaxed)) {
            ("lost", number) => Err(format!("no answer to question {number}")),
            (_, number) => Ok(Secret::new(format!("value-{number}"))),
        });
        let value = |name| vault.value(name);
        assert_eq!([value("a"), value("a")], [Ok("value-0".into()), Ok("value-0".into())]);
        let lost = || Err("no answer to question 1".to_owned());
        assert_eq!([value("lost"), value("lost")], [lost(), lost()]);
        vault.renew();
        assert_eq!(value("a"), Ok("value-2".into()));
        assert_eq!(vault.redact("value-0 value-2 value-4"), "*** *** value-4");
    }

    #[test]
    fn no_form_of_a_secret_is_told() {
        let vault = vault();
        assert_eq!(vault.redact("it's/hunter2"), "it's/hunter2", "it is not known yet");
        vault
            .reveal(&mut json!([secret_placeholder("word"), secret_placeholder("key")]))
            .expect("both are there");
        for text in [
            "+ it's/hunter2",
            "export PW='it'\\''s/hunter2'",
            "it%27s%2Fhunter2",
            "aXQncy9odW50ZXIy",
            "+ abcdef",
            "-----BEGIN\nabcdef",
        ] {
            let redacted = vault.redact(text);
            assert!(
                redacted.contains(HIDDEN)
                    && !redacted.contains("hunter2")
                    && !redacted.contains("abcdef"),
                "{text}: {redacted}"
            );
        }
        assert_eq!(vault.redact("nothing of it"), "nothing of it");
    }

    #[test]
    fn a_secret_that_a_piece_cuts_is_not_told() {
        let vault = vault();
        vault.reveal(&mut json!(secret_placeholder("word"))).expect("it is there");
        assert_eq!(vault.redact_piece("+ it's/hun", true, false), "+ ***");
        assert_eq!(vault.redact_piece("ter2 +", false, true), "*** +");
        assert_eq!(
            vault.redact_piece("ter2 and it's/hunter2, it", false, false),
            "*** and ***, ***"
        );
        assert_eq!(vault.redact_piece("+ it's/hun", true, true), "+ it's/hun");
        assert_eq!(vault.redact_piece("nothing", false, false), "nothing");
    }
}
