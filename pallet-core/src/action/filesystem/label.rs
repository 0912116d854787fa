//! Labels of file systems, which differ in what they may be.

use super::kind::FilesystemType;

/// Refuses a label that the file system cannot have, or that would not come back as it is written.
pub(super) fn check_label(kind: FilesystemType, label: &str) -> Result<(), String> {
    let most = match kind {
        FilesystemType::Ext4 => 16,
        FilesystemType::Xfs => 12,
        FilesystemType::Btrfs => 255,
        FilesystemType::Vfat => 11,
    };
    if label.is_empty() || label.len() > most {
        return Err(format!("the label {label:?} does not have 1 to {most} bytes"));
    }
    if label.trim() != label || label.starts_with('-') || label.contains(char::is_control) {
        return Err(format!(
            "the label {label:?} begins or ends with a blank, begins with -, or has a newline"
        ));
    }
    let fat =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" _-".contains(&byte);
    let allowed = match kind {
        FilesystemType::Vfat => label.bytes().all(fat),
        // the command that changes it takes it apart
        FilesystemType::Xfs => !label.contains([' ', '"', '\'', '\\', '\t']),
        FilesystemType::Btrfs => !label.contains(['/', '\\']),
        FilesystemType::Ext4 => true,
    };
    match (allowed, kind) {
        (true, _) => Ok(()),
        (false, FilesystemType::Vfat) => Err(format!(
            "the label {label:?} of vfat is not of capital letters, digits, blanks, _ and -"
        )),
        (false, _) => Err(format!(
            "the label {label:?} has a character that {} cannot have: a blank, quote, slash or \
             backslash",
            kind.name()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FilesystemType::{Btrfs, Ext4, Vfat, Xfs};

    #[test]
    fn labels_that_come_back_as_they_are_written() {
        for (kind, label) in [
            (Ext4, "it's my data"),
            (Xfs, "data-1_x.y:z"),
            (Btrfs, "a long label"),
            (Vfat, "EFI 1"),
        ] {
            assert_eq!(check_label(kind, label), Ok(()), "{label}");
        }
        for (kind, label) in [
            (Ext4, ""),
            (Ext4, "seventeen letters"),
            (Xfs, "thirteen-----"),
            (Xfs, "a b"),
            (Btrfs, "a/b"),
            (Vfat, "efi"),
            (Vfat, "TWELVE-----X"),
            (Ext4, " x"),
            (Ext4, "-x"),
            (Ext4, "a\nb"),
        ] {
            assert!(check_label(kind, label).is_err(), "{label}");
        }
    }
}
