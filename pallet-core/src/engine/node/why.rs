//! Why a script failed, in words.

use crate::engine::excerpt::Excerpt;

/// Reasons why something cannot be written: the system's error text, and an explanation.
const REASONS: [(&str, &str); 8] = [
    ("No space left on device", "the disk is full: "),
    ("Disk quota exceeded", "the disk quota is used up: "),
    ("Read-only file system", "the file system is read-only: "),
    ("File too large", "the file is too large for the file system: "),
    ("Permission denied", ""),
    ("Operation not permitted", ""),
    ("Device or resource busy", ""),
    ("Input/output error", ""),
];

/// Why a script or part ended with this code, as far as known. A line that is used here is removed
/// from `lines`, so that it is not shown twice.
pub(super) fn why(code: i32, reason: Option<String>, lines: &mut Excerpt) -> String {
    if let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) {
        let code = if code == 1 { String::new() } else { format!(" with exit code {code}") };
        return format!("failed{code}: {reason}");
    }
    let how = match code {
        129..160 => format!("was ended by signal {}", code - 128),
        code => format!("failed with exit code {code}"),
    };
    let known = lines.last().and_then(|line| REASONS.iter().find(|(said, _)| line.contains(said)));
    match known.and_then(|(_, words)| Some((words, lines.pop()?))) {
        Some((words, line)) => format!("{how}: {words}{line}"),
        None => how,
    }
}
