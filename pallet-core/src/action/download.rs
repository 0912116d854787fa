//! Downloads from a URL to a node.

use std::collections::BTreeMap;

use super::ActionError;
use crate::model::digest;
use crate::script::quote;

/// A download, and how to verify it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Download {
    url: String,
    pub(super) checksum: Checksum,
    headers: BTreeMap<String, String>,
    insecure: bool,
    proxy: Option<String>,
    /// A function of the library that the downloaded file is piped through.
    pub(super) through: Option<&'static str>,
}

/// How a download is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checksum {
    /// Not at all.
    None,
    /// It must have this digest.
    Sha256(String),
    /// It must have this digest.
    Md5(String),
    /// It must have the digest that this URL has at the time.
    Url(String),
}

/// The parameters of an action that describe a download.
#[derive(Debug, Clone, Copy)]
pub(super) struct DownloadArguments<'a> {
    pub(super) url: &'a Option<String>,
    pub(super) sha256: &'a Option<String>,
    pub(super) md5: &'a Option<String>,
    pub(super) checksum_url: &'a Option<String>,
    pub(super) headers: &'a BTreeMap<String, String>,
    pub(super) insecure: bool,
    pub(super) proxy: &'a Option<String>,
}

impl DownloadArguments<'_> {
    /// The download, if a URL is given.
    pub(super) fn check(self, action: &str) -> Result<Option<Download>, ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(action, message));
        let Some(url) = self.url else {
            let given = [
                ("sha256", self.sha256.is_some()),
                ("md5", self.md5.is_some()),
                ("checksum_url", self.checksum_url.is_some()),
                ("headers", !self.headers.is_empty()),
                ("insecure", self.insecure),
                ("proxy", self.proxy.is_some()),
            ];
            return match given.iter().find(|(_, given)| *given) {
                Some((name, _)) => {
                    wrong(format!("{name} is for a download; give url, or omit {name}"))
                }
                None => Ok(None),
            };
        };
        for (name, url) in [("url", Some(url)), ("checksum_url", self.checksum_url.as_ref())] {
            if let Some(url) = url {
                check_url(action, name, url, &["http://", "https://", "ftp://", "ftps://"])?;
            }
        }
        if let Some(proxy) = self.proxy {
            check_url(action, "proxy", proxy, &["http://", "https://", "socks5://", "socks5h://"])?;
        }
        let checksum = match (self.sha256, self.md5, self.checksum_url) {
            (None, None, None) => Checksum::None,
            (Some(sha256), None, None) => {
                Checksum::Sha256(hexadecimal(action, "sha256", sha256, 64)?)
            }
            (None, Some(md5), None) => Checksum::Md5(hexadecimal(action, "md5", md5, 32)?),
            (None, None, Some(url)) => Checksum::Url(url.clone()),
            _ => return wrong("give at most one of sha256, md5 and checksum_url".to_owned()),
        };
        for (name, value) in self.headers {
            let token = !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            // the value may be a secret, so it is not shown
            if !token || value.chars().any(char::is_control) {
                return wrong(format!("the header {name:?} is not a name and a value of one line"));
            }
        }
        let (headers, insecure, proxy) = (self.headers.clone(), self.insecure, self.proxy.clone());
        Ok(Some(Download { url: url.clone(), checksum, headers, insecure, proxy, through: None }))
    }
}

fn check_url(action: &str, name: &str, url: &str, schemes: &[&str]) -> Result<(), ActionError> {
    let wrong = |message: String| Err(ActionError::arguments(action, message));
    if !schemes.iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme)) {
        return wrong(format!(
            "the {name} {:?} does not begin with one of {}",
            shown(url),
            schemes.join(", ")
        ));
    }
    if url
        .chars()
        .any(|char| char.is_control() || char.is_whitespace() || char == '"' || char == '\\')
    {
        return wrong(format!(
            "the {name} {:?} holds a space, quote or backslash; write %20, %22 or %5C",
            shown(url)
        ));
    }
    Ok(())
}

fn hexadecimal(
    action: &str,
    name: &str,
    digest: &str,
    length: usize,
) -> Result<String, ActionError> {
    match digest.len() == length && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(digest.to_ascii_lowercase()),
        false => Err(ActionError::arguments(
            action,
            format!("the {name} {digest:?} is not {length} hexadecimal digits"),
        )),
    }
}

/// A URL without credentials and query, for output.
fn shown(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (scheme, rest) = url[..end].split_once("://").unwrap_or(("", &url[..end]));
    let host = rest.find('/').unwrap_or(rest.len());
    let rest = rest[..host].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    format!("{scheme}{}{rest}", if scheme.is_empty() { "" } else { "://" })
}

impl Download {
    /// The URL as it is fetched, which may hold a secret.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The URL, for output.
    pub(super) fn shown(&self) -> String {
        shown(&self.url)
    }

    /// Identifies the source: content without a known digest is fetched again when this changes.
    pub(super) fn origin(&self) -> String {
        match &self.checksum {
            Checksum::Sha256(digest) => digest.clone(),
            Checksum::Md5(digest) => digest.clone(),
            Checksum::Url(checksum) => digest(format!("{}\n{checksum}", self.url).as_bytes()),
            Checksum::None => digest(self.url.as_bytes()),
        }
    }

    /// A shell script that downloads to the file that `to` expands to, and verifies it.
    pub(super) fn script(&self, to: &str) -> String {
        let headers = self.headers.iter().map(|(name, value)| {
            format!("{name}: {value}").replace('\\', "\\\\").replace('"', "\\\"")
        });
        let mut script = self.call(to, &self.url, headers.collect());
        let shown = quote(&self.shown());
        match &self.checksum {
            Checksum::None => {}
            Checksum::Sha256(digest) => {
                script.push_str(&format!("has_checksum {to} {shown} sha256sum {digest}\n"))
            }
            Checksum::Md5(digest) => {
                script.push_str(&format!("has_checksum {to} {shown} md5sum {digest}\n"))
            }
            Checksum::Url(url) => {
                let name = self.shown();
                let name = quote(name.rsplit('/').next().unwrap_or_default());
                // the list of digests is fetched to the same file first, and read before the
                // download
                script = format!(
                    "{}list=$(cat -- {to})\n\
                     {script}has_listed_checksum {to} {shown} {name} \"$list\"\n",
                    self.call(to, url, Vec::new())
                );
            }
        }
        if let Some(function) = self.through {
            script.push_str(&format!("{function} {to}\n"));
        }
        script
    }

    fn call(&self, to: &str, url: &str, headers: Vec<String>) -> String {
        let secret = shown(url) != url || !headers.is_empty();
        let mut words = vec![
            shown(url),
            url.to_owned(),
            if self.insecure { "insecure".to_owned() } else { String::new() },
        ];
        words.push(self.proxy.clone().unwrap_or_default());
        words.push(if secret { "private".to_owned() } else { String::new() });
        let words: Vec<String> = words.iter().chain(&headers).map(|word| quote(word)).collect();
        format!("download {to} {}\n", words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_secret() {
        for (url, expected) in [
            ("https://example.com/a", "https://example.com/a"),
            ("https://me:secret@example.com/a@b?token=x", "https://example.com/a@b"),
            ("https://example.com?token=x", "https://example.com"),
            ("me:secret@example.com", "example.com"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
