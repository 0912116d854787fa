//! HTTP/1.1 as far as one page needs it: a request for each connection, with limits.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// The longest request, in bytes.
const LONGEST: usize = 8 << 10;

/// How long a request and its answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections are served at the same time. Others wait.
const CONNECTIONS: u32 = 16;

/// How long the last answers may take once nothing more is served.
const ENDING: Duration = Duration::from_secs(2);

/// A request without its body, which is never read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) host: String,
    /// The version that the browser has: `If-None-Match`.
    pub(super) known: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Arc<str>,
}

impl Answer {
    /// An answer without a page.
    pub(super) fn plain(status: &'static str) -> Self {
        let headers = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())];
        Answer { status, headers, body: format!("{status}\n").into() }
    }
}

/// The connections of a server.
#[derive(Clone)]
pub(super) struct Connections(Arc<Semaphore>);

impl Connections {
    pub(super) fn new() -> Self {
        Connections(Arc::new(Semaphore::new(CONNECTIONS as usize)))
    }

    /// Answers requests until it is dropped.
    pub(super) async fn serve<A>(&self, listener: &TcpListener, answer: A)
    where
        A: AsyncAnswer,
    {
        loop {
            let Ok(slot) = self.0.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // too many open files, for a while
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            let answer = answer.clone();
            tokio::spawn(async move {
                // a browser that goes away is no error
                let _ = timeout(PATIENCE, connection(stream, answer)).await;
                drop(slot);
            });
        }
    }

    /// Waits until all answers are sent, for a moment.
    pub(super) async fn end(&self) {
        let _ = timeout(ENDING, self.0.acquire_many(CONNECTIONS)).await;
    }
}

/// Answers requests.
pub(super) trait AsyncAnswer: Clone + Send + Sync + 'static {
    fn answer(&self, request: Request) -> impl Future<Output = Answer> + Send;
}

async fn connection(mut stream: TcpStream, answer: impl AsyncAnswer) -> io::Result<()> {
    let (answer, is_head) = match read(&mut stream).await? {
        Some(request) => {
            let is_head = request.method == "HEAD";
            (answer.answer(request).await, is_head)
        }
        None => (Answer::plain("400 Bad Request"), false),
    };
    let mut head = format!("HTTP/1.1 {}\r\n", answer.status);
    let length = answer.body.len().to_string();
    let always = [
        ("Content-Length", length.as_str()),
        ("Connection", "close"),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ];
    let own = answer.headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in always.into_iter().chain(own) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    if !is_head {
        stream.write_all(answer.body.as_bytes()).await?;
    }
    stream.shutdown().await?;
    // an answer is lost if the connection is closed before everything was read
    let mut rest = [0; 1024];
    for _ in 0..LONGEST / rest.len() {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Reads the head of a request; `None` if it is no request, or too long.
async fn read(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(head.get(..end).and_then(parse));
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 || head.len() + count > LONGEST {
            return Ok(None);
        }
        head.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
}

fn parse(head: &[u8]) -> Option<Request> {
    let head = std::str::from_utf8(head).ok()?;
    let (line, rest) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut words = line.split(' ');
    let (method, path, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
        return None;
    }
    let mut headers = Vec::new();
    for line in rest.lines() {
        let (name, value) = line.split_once(':')?;
        headers.push((name, value.trim()));
    }
    let all = |wanted: &str| -> Vec<&str> {
        let of = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        of.map(|(_, value)| *value).collect()
    };
    // two of them would be read differently by others
    let [host] = all("host")[..] else { return None };
    Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        host: host.to_owned(),
        known: all("if-none-match").first().map(|known| (*known).to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_requests_are_read() {
        let request = |known: Option<&str>| Request {
            method: "GET".to_owned(),
            path: "/x/".to_owned(),
            host: "localhost:1".to_owned(),
            known: known.map(str::to_owned),
        };
        let get = "GET /x/ HTTP/1.1\r\nHost: localhost:1";
        assert_eq!(parse(get.as_bytes()), Some(request(None)));
        let known = format!("{get}\r\nif-none-match:  \"7\" \r\nX: y");
        assert_eq!(parse(known.as_bytes()), Some(request(Some("\"7\""))));
        for wrong in [
            "",
            "GET /x/",
            "GET /x/ HTTP/2\r\nHost: localhost:1",
            "GET /x/ y HTTP/1.1\r\nHost: localhost:1",
            "GET /x/ HTTP/1.1",
            "GET /x/ HTTP/1.1\r\nHost: localhost:1\r\nHost: evil",
            "GET /x/ HTTP/1.1\r\nHost",
        ] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert_eq!(parse(b"GET /\xff HTTP/1.1\r\nHost: localhost:1"), None);
    }
}
