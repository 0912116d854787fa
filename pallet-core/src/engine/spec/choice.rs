//! Parses groups with optional counts, as the user writes them: `web`, `web=3`.

use thiserror::Error;

use super::server::{GroupSpec, ServerSpec};
use crate::model::did_you_mean;

/// Why words cannot be parsed as groups.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ChoiceError {
    /// An invalid count.
    #[error("{word}: the count {count:?} must be a whole number, 0 or more")]
    Count {
        /// The whole word.
        word: String,
        /// The part after `=`.
        count: String,
    },
    /// A group that is not declared.
    #[error("there is no group {name}; {help}")]
    Unknown {
        /// Its name.
        name: String,
        /// A suggestion: the closest name, or all names.
        help: String,
    },
    /// A group that is named twice.
    #[error("group {name} is named twice")]
    Twice {
        /// Its name.
        name: String,
    },
}

impl GroupSpec {
    /// The groups that these words name, in their order; `web=3` overrides the declared count. No
    /// words: all groups. `old=0` may also name a group that is no longer declared: a converge
    /// finds its nodes by their tags, or reports that there are none.
    pub fn choose(groups: &[GroupSpec], words: &[String]) -> Result<Vec<GroupSpec>, ChoiceError> {
        if words.is_empty() {
            return Ok(groups.to_vec());
        }
        let mut chosen: Vec<GroupSpec> = Vec::new();
        for word in words {
            let group = choose(groups, word)?;
            if chosen.iter().any(|known| known.name == group.name) {
                return Err(ChoiceError::Twice { name: group.name });
            }
            chosen.push(group);
        }
        Ok(chosen)
    }
}

fn choose(groups: &[GroupSpec], word: &str) -> Result<GroupSpec, ChoiceError> {
    let (name, count) = match word.split_once('=') {
        Some((name, given)) => {
            let count = given.parse::<u32>().ok();
            (
                name,
                Some(count.ok_or_else(|| ChoiceError::Count {
                    word: word.to_owned(),
                    count: given.to_owned(),
                })?),
            )
        }
        None => (word, None),
    };
    let Some(group) = groups.iter().find(|group| group.name == name) else {
        if count == Some(0)
            && let Ok(gone) = GroupSpec::new(name, count, ServerSpec::new())
        {
            return Ok(gone);
        }
        let known: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
        let help = did_you_mean(name, known.iter().copied())
            .unwrap_or_else(|| format!("there are {}", known.join(", ")));
        return Err(ChoiceError::Unknown { name: name.to_owned(), help });
    };
    Ok(GroupSpec { count: count.or(group.count), ..group.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_choose_groups_and_counts() {
        let group = |name: &str| GroupSpec::new(name, Some(2), ServerSpec::new()).unwrap();
        let groups = [group("web"), group("db")];
        let chosen = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(ToString::to_string).collect();
            let chosen = GroupSpec::choose(&groups, &words).map_err(|error| error.to_string())?;
            Ok::<_, String>(
                chosen
                    .into_iter()
                    .map(|group| (group.name, group.count.unwrap()))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(chosen(&[]).unwrap().len(), 2);
        assert_eq!(chosen(&["db", "web=3"]), Ok(vec![("db".to_owned(), 2), ("web".to_owned(), 3)]));
        assert_eq!(chosen(&["web", "web=1"]), Err("group web is named twice".to_owned()));
        assert_eq!(chosen(&["wbe"]), Err("there is no group wbe; did you mean `web`?".to_owned()));
        assert_eq!(
            chosen(&["elsewhere"]),
            Err("there is no group elsewhere; there are web, db".to_owned())
        );
        assert_eq!(
            chosen(&["web=-1"]),
            Err("web=-1: the count \"-1\" must be a whole number, 0 or more".to_owned())
        );
        assert_eq!(chosen(&["old=0"]), Ok(vec![("old".to_owned(), 0)]), "it may have nodes still");
        assert_eq!(chosen(&["old=1"]), Err("there is no group old; there are web, db".to_owned()));
    }
}
