//! Valid names of groups and nodes.

/// Whether `name` is a valid host name (RFC 1123): 1 to 63 characters of `a-z`, `0-9` and `-`,
/// without `-` at either end.
pub fn is_host_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::is_host_name;

    #[test]
    fn names_that_a_host_can_have() {
        for good in ["web", "web-1", "a", "0"] {
            assert!(is_host_name(good), "{good}");
        }
        for bad in ["", "Web", "-web", "web-", "web 1", "wéb", "web.one", &"a".repeat(64)] {
            assert!(!is_host_name(bad), "{bad}");
        }
    }
}
