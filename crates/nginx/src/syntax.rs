//! Checks values for nginx's configuration.

use pallet_core::prelude::*;

/// Refuses text that would end a directive in nginx's configuration.
pub(crate) fn plain(what: &str, value: &str) -> Result<()> {
    let good = !value.is_empty()
        && !value
            .chars()
            .any(|character| character.is_control() || ";{}\"'\\#$".contains(character));
    ensure!(good, "the {what} {value:?} cannot stand in nginx's configuration");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_its_directive() {
        assert!(plain("root", "/srv; }").is_err());
        assert!(plain("root", "/srv/my site").is_ok());
    }
}
