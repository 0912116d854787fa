//! What the kernel escapes in its tables, in every shell.

use super::shells::shells;
use super::{ESCAPES, quote};

#[test]
fn octal_escapes_alone_are_decoded() {
    for shell in shells() {
        for (field, text) in [
            ("/srv/plain", "/srv/plain"),
            ("/srv/a\\040b", "/srv/a b"),
            // a digit behind an escape is no part of it
            ("/srv/a\\0407", "/srv/a 7"),
            ("/srv/\\04012\\011", "/srv/ 12\t"),
            ("\\134040", "\\040"),
            ("a\\012", "a\n"),
            ("\\303\\274", "\u{fc}"),
            ("-n\\040%s$(id)'\"", "-n %s$(id)'\""),
            // these are no escapes of the kernel
            ("\\x41\\n\\c\\", "\\x41\\n\\c\\"),
            ("\\400\\04\\089", "\\400\\04\\089"),
            ("", ""),
        ] {
            let script = format!("{ESCAPES}unescape {}\nprintf '%sx' \"$unescaped\"", quote(field));
            let output = shell.run(&script);
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                format!("{text}x"),
                "{shell}: {field:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}
