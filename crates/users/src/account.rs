//! The account of a user: when it expires, and whether it is locked.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::date::days;

/// Ensures the day on which the account expires; `never` is none.
pub(crate) fn expires(request: &mut Request, name: &str, date: &str) -> Result<()> {
    let (value, day) = match date {
        "never" => (String::new(), String::new()),
        date => (date.to_owned(), days(date)?.to_string()),
    };
    request.add(
        ExecCheckedScript::new(
            format!("{name} expires: {date}"),
            format!("usermod -e {} -- {name}", quote(&value)),
        )
        .unless(shadow(name, "", &day)),
    )
}

/// Locks the account: no password, no key and no job of cron lets the user in.
pub(crate) fn lock(request: &mut Request, name: &str) -> Result<()> {
    request.add(
        ExecCheckedScript::new(format!("lock {name}"), lock_command(name))
            .unless(shadow(name, "!", "1")),
    )
}

/// A locked password alone would still let keys in, an expired account does not.
pub(crate) fn lock_command(name: &str) -> String {
    format!("usermod -L -e 1970-01-02 -- {name}")
}

/// A command that looks whether the password of a user begins so, and the account expires then.
fn shadow(name: &str, password: &str, day: &str) -> String {
    let name = name.replace('.', "[.]");
    format!("grep -q '^{name}:{password}[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:{day}:' /etc/shadow")
}

/// Refuses what cannot be the name of a user or a group.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    ensure!(
        name.len() <= 32
            && name.bytes().all(good)
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_'),
        "{name:?} cannot be the name of a {what}: use at most 32 letters, digits, _, - and ., and \
         begin with a letter"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_the_eighth_field() {
        assert_eq!(
            shadow("a.b", "!", "1"),
            "grep -q '^a[.]b:![^:]*:[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:1:' /etc/shadow"
        );
        assert!(check_name("user", "ann.b").is_ok());
        for bad in ["", "a b", "-a", "a'", "1a", "a\n", "ä"] {
            assert!(check_name("user", bad).is_err(), "{bad:?}");
        }
    }
}
