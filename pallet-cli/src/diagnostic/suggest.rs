//! "Did you mean": finds the known word that is closest to an unknown one.

pub(crate) use pallet_core::model::{closest, did_you_mean};

/// Synonyms.
const SAME: [&[&str]; 6] = [
    &["create", "manage", "install", "add", "make", "ensure", "present"],
    &["delete", "remove", "uninstall", "absent", "destroy", "erase"],
    &["start", "started", "run", "running"],
    &["stop", "stopped", "kill"],
    &["restart", "restarted"],
    &["reload", "reloaded", "refresh"],
];

/// The word of `known` that is a synonym of `word`.
pub(crate) fn same_meaning<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let same = SAME.iter().find(|same| same.contains(&word))?;
    known.iter().copied().find(|known| same.contains(known))
}

/// A suggestion or, if no word is close, the list of known words.
pub(crate) fn did_you_mean_or_list(word: &str, known: &[&str], there_is: &str) -> Option<String> {
    did_you_mean(word, known.iter().copied())
        .or_else(|| (!known.is_empty()).then(|| format!("{there_is} {}", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::same_meaning;

    #[test]
    fn another_word_for_the_same_is_found() {
        assert_eq!(same_meaning("delete", &["manage", "remove", "lock"]), Some("remove"));
        assert_eq!(same_meaning("delete", &["start", "stop"]), None);
        assert_eq!(same_meaning("paint", &["create", "delete"]), None);
    }
}
