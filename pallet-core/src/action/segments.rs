//! Divides the actions of a phase by where they run.

use super::Declared;

/// Neighbours of a phase that run at the same place.
#[derive(Debug, Default)]
pub struct Segment {
    /// The ID of the node on which they run instead of the target.
    pub place: Option<String>,
    /// The actions, in order.
    pub declared: Vec<Declared>,
}

/// Divides the actions of a phase, in order.
pub fn segments(declared: Vec<Declared>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for one in declared {
        match segments.last_mut() {
            Some(segment) if segment.place == one.place => segment.declared.push(one),
            _ => segments.push(Segment { place: one.place.clone(), declared: vec![one] }),
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::super::ExecScript;
    use super::*;

    #[test]
    fn neighbours_at_the_same_place_stay_together() {
        let at = |place: Option<&str>| Declared {
            place: place.map(str::to_owned),
            ..Declared::of(ExecScript::new("true"))
        };
        let balancer = Some("i-1");
        let all = segments(vec![at(None), at(None), at(balancer), at(None)]);
        let seen: Vec<_> =
            all.iter().map(|segment| (segment.place.as_deref(), segment.declared.len())).collect();
        assert_eq!(seen, [(None, 2), (balancer, 1), (None, 1)]);
        assert!(segments(Vec::new()).is_empty());
    }
}
