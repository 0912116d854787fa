//! The name of a project.

/// The name of a project in a directory: the directory's name, turned into a host name.
pub(crate) fn name_of_directory(directory: &str) -> String {
    let words = directory.to_lowercase();
    let words: Vec<&str> = words
        .split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .collect();
    let mut name = words.join("-");
    name.truncate(40);
    match name.trim_matches('-') {
        "" => "project".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name_of_directory;

    #[test]
    fn a_directory_gives_a_host_name() {
        assert_eq!(name_of_directory("My Shop (2)"), "my-shop-2");
        assert_eq!(name_of_directory("..."), "project");
        assert_eq!(name_of_directory("web"), "web");
    }
}
