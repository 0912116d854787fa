//! The only place where a value becomes a word of a shell script.

/// `value` as one word of POSIX shell, whatever it contains. (A word cannot contain NUL; the caller
/// rejects it.)
pub fn quote(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,+@%".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_survive_a_real_shell() {
        for value in [
            "",
            "a b",
            "it's",
            "$HOME `id` \\ \"",
            "new\nline",
            "ünï",
            "-n",
            "*",
            "a;b",
            "!",
            "~root",
        ] {
            let script = format!("printf %s {}", quote(value));
            let output =
                std::process::Command::new("sh").args(["-c", &script]).output().expect("sh runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), value);
        }
    }

    #[test]
    fn plain_words_stay_readable() {
        assert_eq!(quote("/etc/nginx/nginx.conf"), "/etc/nginx/nginx.conf");
    }
}
