//! Names that become part of a file's name on a node.

/// Refuses a name that cannot be part of a file's name everywhere; `what` is what it names.
pub fn check_file_name(what: &str, name: &str) -> anyhow::Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    anyhow::ensure!(
        !name.is_empty()
            && name.len() <= 100
            && name.bytes().all(good)
            && !name.starts_with(['-', '.']),
        "{name:?} cannot name {what}: use at most 100 letters, digits, -, _ and ., and begin with \
         a letter, a digit or _"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_file_name;

    #[test]
    fn a_name_stays_in_its_directory() {
        for good in ["a", "web_1.conf", "_x"] {
            assert!(check_file_name("a site", good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-rf", "a/b", "a b", "a\n", &"a".repeat(101)] {
            let error = check_file_name("a site", bad).unwrap_err().to_string();
            assert!(error.contains("cannot name a site"), "{error}");
        }
    }
}
