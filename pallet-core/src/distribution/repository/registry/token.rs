//! Exchanges an identity token, which some registries issue at login, for a token for one
//! repository.

use oci_client::secrets::RegistryAuth;
use serde_json::Value;

/// Requests a token that may pull and push, from the server that the registry names.
pub(super) async fn exchange(
    http: &reqwest::Client,
    scheme: &str,
    host: &str,
    path: &str,
    identity: &str,
) -> Result<RegistryAuth, reqwest::Error> {
    let greeting = http.get(format!("{scheme}://{host}/v2/")).send().await?;
    let challenge = greeting
        .headers()
        .get("www-authenticate")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Some(realm) = parameter(challenge, "realm")
        .filter(|realm| scheme == "http" || realm.starts_with("https://"))
    else {
        return Ok(RegistryAuth::Anonymous);
    };
    let scope = format!("repository:{path}:pull,push");
    let service = parameter(challenge, "service").unwrap_or_default();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "pallet"),
        ("refresh_token", identity),
        ("service", service),
        ("scope", scope.as_str()),
    ];
    let answer: Value = http.post(realm).form(&form).send().await?.json().await.unwrap_or_default();
    let token = answer["access_token"].as_str().or(answer["token"].as_str());
    // without a token, the user sees the registry's own refusal
    Ok(token.map_or(RegistryAuth::Anonymous, |token| RegistryAuth::Bearer(token.to_owned())))
}

/// A parameter of a challenge: `Bearer realm="...",service="..."`.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let rest = challenge.strip_prefix("Bearer ")?;
    let start = rest.find(&format!("{name}=\""))? + name.len() + 2;
    rest[start..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_challenge_are_read() {
        let challenge = r#"Bearer realm="https://h/token",service="h",scope="repository:a:pull""#;
        assert_eq!(parameter(challenge, "realm"), Some("https://h/token"));
        assert_eq!(parameter(challenge, "service"), Some("h"));
        assert_eq!(parameter(challenge, "error"), None);
        assert_eq!(parameter(r#"Basic realm="h""#, "realm"), None);
    }
}
