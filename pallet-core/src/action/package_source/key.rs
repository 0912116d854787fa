//! OpenPGP keys as text: apt distinguishes the two formats by the file name.

use base64::Engine;

use super::super::ActionError;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// The key in `file` as text, in either format.
pub(super) fn text(file: &str, content: Vec<u8>) -> Result<String, ActionError> {
    let content = match String::from_utf8(content) {
        Ok(text) if text.contains(BEGIN) => return Ok(text),
        Ok(_) => {
            return Err(ActionError::arguments(
                "package_source",
                format!("{file} does not hold a key of OpenPGP"),
            ));
        }
        Err(error) => error.into_bytes(),
    };
    // the first bit of a binary packet is set
    if content.first().is_none_or(|first| *first < 0x80) {
        return Err(ActionError::arguments(
            "package_source",
            format!("{file} does not hold a key of OpenPGP"),
        ));
    }
    let encoded = base64::engine::general_purpose::STANDARD.encode(&content);
    let lines: String =
        encoded.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect();
    Ok(format!("{BEGIN}\n\n{lines}-----END PGP PUBLIC KEY BLOCK-----\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_become_text() {
        let armored = format!("{BEGIN}\n\nmQGN\n-----END PGP PUBLIC KEY BLOCK-----\n");
        assert_eq!(text("a.asc", armored.clone().into_bytes()), Ok(armored.clone()));
        assert_eq!(text("a.gpg", vec![0x99, 0x01, 0x8d]), Ok(armored));
        for other in [b"<html>".to_vec(), vec![], vec![0x01, 0xff]] {
            assert!(text("a.gpg", other).is_err());
        }
    }
}
