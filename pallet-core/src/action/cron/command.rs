//! The command of a job, as cron must read it.

use crate::model::OsFamily;

/// The command as cron must read it. A `%` would end it. Debian's cron takes a backslash before
/// `%` and before another backslash away, all others take it away before `%` alone; there the
/// shell puts a backslash before `%` together again.
pub(super) fn escaped(command: &str, family: OsFamily) -> String {
    if family == OsFamily::Debian {
        let mut out = String::new();
        let mut chars = command.chars().peekable();
        while let Some(char) = chars.next() {
            let special = char == '%' || (char == '\\' && matches!(chars.peek(), Some('\\' | '%')));
            out.extend(special.then_some('\\').into_iter().chain([char]));
        }
        return out;
    }
    if command.contains("\\%") {
        let octal = command.replace('\\', "\\134").replace('%', "\\045").replace('\'', "\\047");
        return format!("eval \"$(printf '{octal}')\"");
    }
    command.replace('%', "\\%")
}
