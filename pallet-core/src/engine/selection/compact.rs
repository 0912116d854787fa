//! Writes many names in few patterns.

use std::collections::BTreeSet;

/// The names in few words, each a name or a pattern that means just some of them: `db-1`,
/// `web-[1:48]`.
pub fn compact<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    compact_counted(names).into_iter().map(|(word, _)| word).collect()
}

/// The same, each word with the number of its names.
pub fn compact_counted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(String, usize)> {
    let names: BTreeSet<_> = names.into_iter().map(|name| (numbered(name), name)).collect();
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (number, name) in names {
        match (runs.last_mut(), number) {
            (Some(run), Some((stem, number)))
                if run.stem == Some(stem) && run.last.checked_add(1) == Some(number) =>
            {
                run.last = number;
                run.count += 1;
            }
            (_, number) => runs.push(Run {
                name,
                stem: number.map(|(stem, _)| stem),
                first: number.map(|(_, number)| number).unwrap_or_default(),
                last: number.map(|(_, number)| number).unwrap_or_default(),
                count: 1,
            }),
        }
    }
    runs.sort_by_key(|run| (run.stem.unwrap_or(run.name), run.first));
    runs.iter().map(|run| (run.text(), run.count)).collect()
}

/// Names with the same stem and consecutive numbers.
struct Run<'a> {
    /// The first of them.
    name: &'a str,
    stem: Option<&'a str>,
    first: u64,
    last: u64,
    count: usize,
}

impl Run<'_> {
    fn text(&self) -> String {
        match self.stem {
            Some(stem) if self.first < self.last => {
                format!("{stem}[{}:{}]", self.first, self.last)
            }
            _ => self.name.to_owned(),
        }
    }
}

/// The stem and the number of a name that ends with one, as a pattern would write it.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &name[stem.len()..];
    let plain = number == "0" || !number.starts_with('0');
    // these would be read as patterns
    let readable = !stem.is_empty() && !stem.contains(['*', '?', '[']) && !stem.starts_with('!');
    Some((stem, number.parse().ok().filter(|_| plain && readable)?))
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;
    use super::*;

    #[test]
    fn names_are_ranges() {
        for (names, expected) in [
            (
                vec!["web-2", "web-1", "web-10", "web-3", "db-1"],
                vec!["db-1", "web-[1:3]", "web-10"],
            ),
            (vec!["a", "b", "b2", "b3"], vec!["a", "b", "b[2:3]"]),
            (vec!["n-01", "n-02", "n-1"], vec!["n-01", "n-1", "n-02"]),
            (vec!["1", "2"], vec!["1", "2"]),
            (vec![], vec![]),
        ] {
            let words = compact(names.iter().copied());
            let mut sorted = words.clone();
            sorted.sort();
            let mut wanted: Vec<_> = expected.into_iter().map(str::to_owned).collect();
            wanted.sort();
            assert_eq!(sorted, wanted);
            // they mean just these
            let patterns: Vec<_> = words.iter().map(|word| Pattern::parse(word).unwrap()).collect();
            for name in names {
                assert_eq!(patterns.iter().filter(|one| one.matches(name)).count(), 1, "{name}");
            }
        }
    }
}
