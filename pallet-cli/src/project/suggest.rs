//! Did you mean: the known word that a wrong word is closest to.

/// The word of `known` that `word` was probably meant to be.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match word.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (distance(&fold(word), &fold(candidate)), candidate))
        // as many changes as there are letters is another word
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count().min(word.chars().count()).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Words that say the same of what should be done, or be.
const SAME: [&[&str]; 6] = [
    &["create", "manage", "install", "add", "make", "ensure", "present"],
    &["delete", "remove", "uninstall", "absent", "destroy", "erase"],
    &["start", "started", "run", "running"],
    &["stop", "stopped", "kill"],
    &["restart", "restarted"],
    &["reload", "reloaded", "refresh"],
];

/// The word of `known` that says the same as `word`.
pub(crate) fn same_meaning<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let same = SAME.iter().find(|same| same.contains(&word))?;
    known.iter().copied().find(|known| same.contains(known))
}

/// The suggestion as the user reads it.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(word, known).map(|known| format!("did you mean `{known}`?"))
}

/// The suggestion, or else what there is.
pub(crate) fn did_you_mean_or_list(word: &str, known: &[&str], there_is: &str) -> Option<String> {
    did_you_mean(word, known.iter().copied()).or_else(|| (!known.is_empty()).then(|| format!("{there_is} {}", known.join(", "))))
}

fn fold(word: &str) -> Vec<char> {
    word.chars().map(|letter| if letter == '-' { '_' } else { letter.to_ascii_lowercase() }).collect()
}

/// How many letters must be changed, added, left out or swapped with their neighbour (optimal string alignment).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let differs = usize::from(from[i - 1] != to[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::{closest, same_meaning};

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        assert_eq!(closest("prt", ["port", "root"]), Some("port"));
        assert_eq!(closest("os_famly", ["os_family", "os_version"]), Some("os_family"));
        assert_eq!(closest("automated-admin-user", ["automated_admin_user"]), Some("automated_admin_user"));
        assert_eq!(closest("tagret", ["target"]), Some("target"));
        assert_eq!(closest("zebra", ["port", "root"]), None);
        assert_eq!(closest("ab", ["cd"]), None);
    }

    #[test]
    fn another_word_for_the_same_is_found() {
        assert_eq!(same_meaning("delete", &["manage", "remove", "lock"]), Some("remove"));
        assert_eq!(same_meaning("delete", &["start", "stop"]), None);
        assert_eq!(same_meaning("paint", &["create", "delete"]), None);
    }
}
