//! Merges two orders of phases.

use super::error::SpecError;

/// Merges two lists into one that keeps the order of each; an error if they conflict.
pub(crate) fn merge_order(first: &[String], second: &[String]) -> Result<Vec<String>, SpecError> {
    let contrary = || SpecError::Order { first: first.to_vec(), second: second.to_vec() };
    let mut merged = Vec::new();
    let (mut left, mut right) = (first, second);
    while let (Some(a), Some(b)) = (left.first(), right.first()) {
        if a == b {
            merged.push(a.clone());
            (left, right) = (&left[1..], &right[1..]);
        } else if !right.contains(a) {
            merged.push(a.clone());
            left = &left[1..];
        } else if !left.contains(b) {
            merged.push(b.clone());
            right = &right[1..];
        } else {
            return Err(contrary());
        }
    }
    merged.extend(left.iter().chain(right).cloned());
    Ok(merged)
}
