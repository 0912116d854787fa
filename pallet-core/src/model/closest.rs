//! Suggests the known word that a misspelt word probably means.

use strsim::osa_distance;

/// Words of other tools, with ours for the same thing.
const SAME: &[(&str, &str)] = &[
    ("cpu", "cores"),
    ("cpus", "cores"),
    ("vcpu", "cores"),
    ("vcpus", "cores"),
    ("core", "cores"),
    ("memory", "ram"),
    ("mem", "ram"),
    ("storage", "disk"),
    ("region", "location"),
    ("zone", "location"),
    ("destroy", "down"),
    ("delete", "down"),
    ("terminate", "down"),
    ("apply", "converge"),
    ("up", "converge"),
    ("deploy", "converge"),
    ("provision", "converge"),
    ("configure", "lift"),
    ("exec", "run"),
    ("shell", "run"),
    ("copy", "cp"),
    ("scp", "cp"),
    ("login", "ssh"),
    ("status", "nodes"),
    ("ps", "nodes"),
    ("validate", "check"),
    ("lint", "check"),
];

/// The word of `known` that `word` probably means.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(same) = same(word, &known) {
        return Some(same);
    }
    let limit = match word.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (osa_distance(&fold(word), &fold(candidate)), candidate))
        // with as many edits as letters it is another word
        .filter(|(distance, candidate)| {
            *distance <= limit
                && *distance < candidate.chars().count().min(word.chars().count()).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Our word for a word of other tools: `min_cores` for `min_cpu`, and also for `cpus` if no word is
/// just `cores`.
fn same<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let folded = fold(word);
    let ours = |part: &str| SAME.iter().find(|(theirs, _)| *theirs == part).map(|(_, ours)| *ours);
    if !folded.split('_').any(|part| ours(part).is_some()) {
        return None;
    }
    let wanted =
        folded.split('_').map(|part| ours(part).unwrap_or(part)).collect::<Vec<_>>().join("_");
    let is = known.iter().find(|candidate| fold(candidate) == wanted);
    let ends = || known.iter().find(|candidate| fold(candidate).ends_with(&format!("_{wanted}")));
    is.or_else(ends).copied().filter(|candidate| *candidate != word)
}

/// The suggestion as text.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(word, known).map(|known| format!("did you mean `{known}`?"))
}

fn fold(word: &str) -> String {
    word.replace('-', "_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        assert_eq!(closest("prt", ["port", "root"]), Some("port"));
        assert_eq!(closest("os_famly", ["os_family", "os_version"]), Some("os_family"));
        assert_eq!(
            closest("automated-admin-user", ["automated_admin_user"]),
            Some("automated_admin_user")
        );
        assert_eq!(closest("tagret", ["target"]), Some("target"));
        assert_eq!(closest("zebra", ["port", "root"]), None);
        assert_eq!(closest("ab", ["cd"]), None);
    }

    #[test]
    fn words_of_other_tools_are_known() {
        assert_eq!(closest("min_cpu", ["min_ram", "min_cores"]), Some("min_cores"));
        assert_eq!(closest("min-vcpus", ["min_ram", "min_cores"]), Some("min_cores"));
        assert_eq!(closest("memory", ["min_ram", "min_cores"]), Some("min_ram"));
        assert_eq!(closest("destroy", ["list", "down"]), Some("down"));
        assert_eq!(closest("destroy", ["destroyed"]), Some("destroyed"));
        assert_eq!(closest("cores", ["min_cores", "score"]), Some("score"));
    }
}
