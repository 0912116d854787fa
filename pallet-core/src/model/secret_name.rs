//! Placeholders for secrets, where the value must not appear: in the project, in crates, in
//! settings.

/// The placeholder for the secret `name`. The engine replaces it by the value only in the arguments
/// of actions.
pub fn secret_placeholder(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

const OPEN: &str = "⟦secret:";
const CLOSE: &str = "⟧";

/// Replaces every placeholder in `text`; `value` returns the value for a name. `None` if there are
/// no placeholders.
pub fn replace_secrets<E>(
    text: &str,
    mut value: impl FnMut(&str) -> Result<String, E>,
) -> Result<Option<String>, E> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(OPEN) {
        let Some((name, behind)) = behind.split_once(CLOSE) else { break };
        replaced.push_str(before);
        replaced.push_str(&value(name)?);
        rest = behind;
    }
    if rest.len() == text.len() {
        return Ok(None);
    }
    replaced.push_str(rest);
    Ok(Some(replaced))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_wherever_they_stand() {
        let text =
            format!("user={}\npassword={}!", secret_placeholder("a"), secret_placeholder("b.c"));
        let value = |name: &str| if name == "gone" { Err(()) } else { Ok(name.to_uppercase()) };
        assert_eq!(replace_secrets(&text, value), Ok(Some("user=A\npassword=B.C!".to_owned())));
        assert_eq!(replace_secrets("⟦secret: and no end", value), Ok(None));
        assert_eq!(replace_secrets(&secret_placeholder("gone"), value), Err(()));
    }
}
