//! The only page that is served, under a token, and who may see it.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::page::{Mode, policy};
use super::http::{Answer, AsyncAnswer, Request};
use super::watched::Watched;

/// The page under its token.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) watched: Arc<Mutex<Watched>>,
    pub(super) token: Arc<str>,
    pub(super) port: u16,
}

impl AsyncAnswer for Site {
    async fn answer(&self, request: Request) -> Answer {
        if let Some(refused) = refused(&request, &self.token, self.port) {
            return refused;
        }
        let watched = self.watched.clone();
        let made = tokio::task::spawn_blocking(move || {
            watched.lock().unwrap_or_else(PoisonError::into_inner).page()
        });
        let Ok((version, page)) = made.await else {
            return Answer::plain("500 Internal Server Error");
        };
        let mut headers = vec![("ETag", version.clone())];
        if request.known.as_ref() == Some(&version) {
            return Answer { status: "304 Not Modified", headers, body: "".into() };
        }
        headers.push(("Content-Type", "text/html; charset=utf-8".to_owned()));
        let policy = format!("{}; frame-ancestors 'none'", policy(Mode::Live));
        headers.push(("Content-Security-Policy", policy));
        Answer { status: "200 OK", headers, body: page }
    }
}

/// The answer to a request that gets no page. Who does not know the token learns nothing.
fn refused(request: &Request, token: &str, port: u16) -> Option<Answer> {
    if !is_equal(request.path.as_bytes(), format!("/{token}/").as_bytes()) {
        return Some(Answer::plain("404 Not Found"));
    }
    // a name that leads here by somebody else's DNS is refused
    let own = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"));
    if !own.iter().any(|own| own.eq_ignore_ascii_case(&request.host)) {
        return Some(Answer::plain("403 Forbidden"));
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        let mut answer = Answer::plain("405 Method Not Allowed");
        answer.headers.push(("Allow", "GET, HEAD".to_owned()));
        return Some(answer);
    }
    None
}

/// Whether two texts are equal, in a time that does not depend on where they differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |differ, (one, other)| differ | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_token_gets_the_page() {
        for (method, path, host, status) in [
            ("GET", "/secret/", "127.0.0.1:8080", None),
            ("HEAD", "/secret/", "LocalHost:8080", None),
            ("GET", "/", "127.0.0.1:8080", Some("404 Not Found")),
            ("GET", "/secret", "127.0.0.1:8080", Some("404 Not Found")),
            ("GET", "/secreT/", "127.0.0.1:8080", Some("404 Not Found")),
            ("POST", "/other/", "evil.example", Some("404 Not Found")),
            ("GET", "/secret/", "127.0.0.1", Some("403 Forbidden")),
            ("GET", "/secret/", "127.0.0.1:80", Some("403 Forbidden")),
            ("GET", "/secret/", "evil.example:8080", Some("403 Forbidden")),
            ("POST", "/secret/", "127.0.0.1:8080", Some("405 Method Not Allowed")),
            ("get", "/secret/", "127.0.0.1:8080", Some("405 Method Not Allowed")),
        ] {
            let request = Request {
                method: method.to_owned(),
                path: path.to_owned(),
                host: host.to_owned(),
                known: None,
            };
            let refused = refused(&request, "secret", 8080).map(|answer| answer.status);
            assert_eq!(refused, status, "{request:?}");
        }
    }
}
