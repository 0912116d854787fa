//! Escapes commands for cron.

use crate::model::OsFamily;

/// Escapes a command for cron, where an unescaped `%` would end it. Debian's cron removes a
/// backslash before `%` and before another backslash. Other crons remove it only before `%`, so a
/// literal backslash before `%` is put together by the shell there.
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
