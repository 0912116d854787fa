//! Natural order of names with numbers.

/// The key to sort node names by: `web-10` comes after `web-9`.
pub fn natural(name: &str) -> (String, u64) {
    match name.rsplit_once('-').map(|(stem, number)| (stem, number.parse())) {
        Some((stem, Ok(number))) => (stem.to_owned(), number),
        _ => (name.to_owned(), 0),
    }
}
