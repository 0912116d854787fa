//! A rollout: how an operation proceeds through the nodes of a group.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::phase::Phase;

/// How an operation proceeds through the nodes of a group.
#[derive(Debug, Clone, Default)]
pub struct Rollout {
    /// The waves; `None`: all nodes in one wave.
    pub waves: Option<Waves>,
    /// How many nodes may fail before nothing new begins. `None`: none if there are waves or a
    /// health check, any number otherwise.
    pub max_failures: Option<Share>,
    /// Checks the health of each changed node at the end of its wave. Its actions only wait.
    pub health: Option<Phase>,
    /// The time between two waves.
    pub pause: Duration,
    /// How many nodes a converge creates before it destroys those that they replace.
    pub surge: u32,
}

/// A number of nodes, or a percentage of them: `3`, `25%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So many nodes.
    Nodes(u32),
    /// So many of a hundred nodes.
    Percent(u32),
}

/// The waves of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waves {
    /// Waves of this size.
    Of(Share),
    /// How many nodes are done after each wave. They rise, and the last is 100 %.
    UpTo(Vec<Share>),
}

/// Why a rollout is invalid.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum RolloutError {
    /// Not a number of nodes.
    #[error(
        "{0:?} is not a number of nodes: write a whole number, or a percentage such as \"25%\""
    )]
    Share(String),
    /// More than all.
    #[error("{0} is more than all nodes: write at most 100%")]
    TooMuch(Share),
    /// A wave without nodes.
    #[error("a wave of {0} has no nodes: write at least 1")]
    Empty(Share),
    /// No waves.
    #[error("there are no waves: write the size of a wave, or how many nodes are done after each")]
    None,
    /// They do not rise.
    #[error(
        "the waves {0} do not rise: each says how many nodes are done after it, such as \
         1, 25%, 100%"
    )]
    NotRising(Waves),
    /// They do not reach all nodes.
    #[error("the waves {0} end before all nodes are done: the last one must be 100%")]
    NotAll(Waves),
}

impl Share {
    /// How many of `nodes` it is, rounded down.
    pub fn at_most(self, nodes: usize) -> usize {
        match self {
            Share::Nodes(count) => count as usize,
            Share::Percent(percent) => nodes * percent as usize / 100,
        }
    }

    /// How many of `nodes` it is, rounded up.
    pub fn at_least(self, nodes: usize) -> usize {
        match self {
            Share::Nodes(count) => (count as usize).min(nodes),
            Share::Percent(percent) => (nodes * percent as usize).div_ceil(100),
        }
    }

    fn is_zero(self) -> bool {
        matches!(self, Share::Nodes(0) | Share::Percent(0))
    }
}

impl FromStr for Share {
    type Err = RolloutError;

    fn from_str(text: &str) -> Result<Self, RolloutError> {
        let wrong = || RolloutError::Share(text.to_owned());
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u32>().ok()).flatten().ok_or_else(wrong)
        };
        let share = match text.trim().strip_suffix('%') {
            Some(percent) => Share::Percent(number(percent.trim_end())?),
            None => Share::Nodes(number(text.trim())?),
        };
        match share {
            Share::Percent(101..) => Err(RolloutError::TooMuch(share)),
            share => Ok(share),
        }
    }
}

impl Waves {
    /// Waves in words: one size, which all waves have, or how many nodes are done after each wave.
    pub fn parse<T: AsRef<str>>(words: &[T]) -> Result<Self, RolloutError> {
        let shares = words.iter().map(|word| word.as_ref().parse()).collect::<Result<Vec<_>, _>>();
        Waves::of(shares?)
    }

    /// The same, of numbers.
    pub fn of(shares: Vec<Share>) -> Result<Self, RolloutError> {
        if let Some(empty) = shares.iter().find(|share| share.is_zero()) {
            return Err(RolloutError::Empty(*empty));
        }
        let last = match shares.as_slice() {
            [] => return Err(RolloutError::None),
            [size] => return Ok(Waves::Of(*size)),
            [.., last] => *last,
        };
        let rises = |pair: &[Share]| match (pair[0], pair[1]) {
            (Share::Nodes(one), Share::Nodes(next)) => one < next,
            (Share::Percent(one), Share::Percent(next)) => one < next,
            (Share::Percent(one), Share::Nodes(_)) => one < 100,
            (Share::Nodes(_), Share::Percent(_)) => true,
        };
        let (risen, waves) = (shares.windows(2).all(rises), Waves::UpTo(shares));
        match last {
            _ if !risen => Err(RolloutError::NotRising(waves)),
            Share::Percent(100) => Ok(waves),
            _ => Err(RolloutError::NotAll(waves)),
        }
    }

    /// The sizes of the waves of so many nodes. None is empty.
    pub fn sizes(&self, nodes: usize) -> Vec<usize> {
        let mut sizes = Vec::new();
        let mut left = nodes;
        match self {
            Waves::Of(size) => {
                let size = size.at_least(nodes).max(1);
                while left > 0 {
                    sizes.push(size.min(left));
                    left -= size.min(left);
                }
            }
            Waves::UpTo(shares) => {
                for share in shares {
                    let size = share.at_least(nodes).saturating_sub(nodes - left);
                    if size > 0 {
                        sizes.push(size);
                        left -= size;
                    }
                }
            }
        }
        sizes
    }
}

impl Rollout {
    /// How many of so many nodes may fail; `None`: any number.
    pub fn budget(&self, nodes: usize) -> Option<usize> {
        let default = (self.waves.is_some() || self.health.is_some()).then_some(Share::Nodes(0));
        self.max_failures.or(default).map(|share| share.at_most(nodes))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Share::Nodes(count) => write!(f, "{count}"),
            Share::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl fmt::Display for Waves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waves::Of(size) => write!(f, "{size}"),
            Waves::UpTo(shares) => {
                let words: Vec<_> = shares.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(","))
            }
        }
    }
}

/// As the user writes it: `"25%"`.
impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// As the user writes them: `"1,25%,100%"`.
impl FromStr for Waves {
    type Err = RolloutError;

    fn from_str(text: &str) -> Result<Self, RolloutError> {
        Waves::parse(&text.split(',').collect::<Vec<_>>())
    }
}

impl Serialize for Waves {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Waves {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(waves: &str, nodes: usize) -> Vec<usize> {
        waves.parse::<Waves>().unwrap().sizes(nodes)
    }

    #[test]
    fn waves_reach_all_nodes_and_none_is_empty() {
        assert_eq!(sizes("1,10%,50%,100%", 100), [1, 9, 40, 50]);
        assert_eq!(sizes("1,10%,50%,100%", 4), [1, 1, 2]);
        assert_eq!(sizes("5,10%,100%", 20), [5, 15], "10% are done already");
        assert_eq!(sizes("1,25%,100%", 1), [1]);
        assert_eq!(sizes("30%", 10), [3, 3, 3, 1]);
        assert_eq!(sizes("1", 3), [1, 1, 1]);
        assert_eq!(sizes("1%", 3), [1, 1, 1]);
        assert_eq!(sizes("100%", 7), [7]);
        assert_eq!(sizes("3,100%", 0), [0; 0]);
    }

    #[test]
    fn waves_that_do_not_add_up_are_refused() {
        let error = |waves: &str| waves.parse::<Waves>().unwrap_err().to_string();
        assert_eq!(error("0"), "a wave of 0 has no nodes: write at least 1");
        assert_eq!(error("1,0%,100%"), "a wave of 0% has no nodes: write at least 1");
        assert!(error("1,5,3,100%").starts_with("the waves 1,5,3,100% do not rise: "));
        assert!(error("100%,5").starts_with("the waves 100%,5 do not rise: "));
        let short = "the waves 1,50% end before all nodes are done: the last one must be 100%";
        assert_eq!(error("1,50%"), short);
        assert_eq!(error("120%"), "120% is more than all nodes: write at most 100%");
        assert!(error("1,,100%").starts_with("\"\" is not a number of nodes"));
        assert!(error("-1").starts_with("\"-1\" is not a number of nodes"));
        assert!(error("99999999999").starts_with("\"99999999999\" is not a number of nodes"));
        assert_eq!(Waves::parse::<&str>(&[]).unwrap_err(), RolloutError::None);
    }

    #[test]
    fn the_budget_is_zero_where_waves_are_asked_for() {
        let waves = Waves::Of(Share::Percent(10));
        assert_eq!(Rollout::default().budget(10), None);
        let rollout = Rollout { waves: Some(waves), ..Rollout::default() };
        assert_eq!(rollout.budget(10), Some(0));
        let some = |share| Rollout { max_failures: Some(share), ..Rollout::default() };
        assert_eq!(some(Share::Percent(5)).budget(30), Some(1));
        assert_eq!(some(Share::Nodes(2)).budget(30), Some(2));
    }
}
