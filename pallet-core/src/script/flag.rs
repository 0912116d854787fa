//! Flags on the node. Each is a file, so it survives a failed run, and the next run does the work
//! that it asks for.

/// The directory of the flag files.
pub const FLAGS: &str = "/var/lib/pallet/flags";

/// The file name of a flag.
pub fn flag_file(flag: &str) -> String {
    flag.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("_{byte:02x}")
            }
        })
        .collect()
}

/// The flag of a file name; `None` if it is not the name of a flag file.
pub fn flag_of_file(name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first == b'_' {
            let (code, behind) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
            rest = behind;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flag_has_a_file() {
        for flag in ["nginx", "a/b", "..", "with space", "_", "grün"] {
            let file = flag_file(flag);
            assert!(
                file.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
                "{file}"
            );
            assert_eq!(flag_of_file(&file).as_deref(), Some(flag));
        }
        assert_eq!(flag_of_file("_x"), None);
    }
}
