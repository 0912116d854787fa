//! Sizes of swap files, as text.

const MIB: u64 = 1 << 20;

/// The bytes of a size such as `512M`, `2 GiB` or `1T`; `None` if it is not one.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim_start() {
        "M" | "MiB" => MIB,
        "G" | "GiB" => MIB << 10,
        "T" | "TiB" => MIB << 20,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0)
}

/// A size for people.
pub(super) fn shown(bytes: u64) -> String {
    match bytes {
        bytes if bytes % (MIB << 10) == 0 => format!("{} GiB", bytes / (MIB << 10)),
        bytes if bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, size, again) in [
            ("512M", 512 << 20, "512 MiB"),
            ("2G", 2 << 30, "2 GiB"),
            ("2048 MiB", 2 << 30, "2 GiB"),
            ("1TiB", 1 << 40, "1024 GiB"),
        ] {
            assert_eq!(bytes(text), Some(size), "{text}");
            assert_eq!(shown(size), again);
        }
        assert_eq!(shown(4097), "4097 bytes");
        for text in ["", "2", "G", "0G", "2GB", "2g", "-1M", "+1M", "1.5G", "99999999999999T"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
