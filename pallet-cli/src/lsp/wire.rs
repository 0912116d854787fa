//! Reads messages: a header with the length, and JSON.

use std::io::{self, BufRead, Read};

use lsp_server::Message;

/// Maximum length of a message, in bytes. A larger one is an error of the sender.
const LONGEST: u64 = 64 << 20;

/// Maximum length of a header line, in bytes.
const LINE: u64 = 1024;

/// Reads a message; `None` at the end of the input. The error describes invalid input in one line.
pub(super) fn read(input: &mut impl BufRead) -> Result<Option<Message>, String> {
    let mut length = None;
    loop {
        let line = match line(input).map_err(broken)? {
            None if length.is_none() => return Ok(None),
            None => return Err("it ends in the middle of a header".to_owned()),
            Some(line) => line,
        };
        if line.is_empty() {
            break;
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("{line:?} is not a header line"))?;
        if name.trim().eq_ignore_ascii_case("content-length") {
            let number = value.trim().parse().ok().filter(|number| *number <= LONGEST);
            length =
                Some(number.ok_or_else(|| format!("{:?} is not a message length", value.trim()))?);
        }
    }
    let length = length.ok_or("the header has no Content-Length")?;
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body).map_err(broken)?;
    if (body.len() as u64) < length {
        return Err("it ends in the middle of a message".to_owned());
    }
    serde_json::from_slice(&body).map(Some).map_err(|error| format!("invalid message: {error}"))
}

/// A line without its line end; `None` at the end of the input.
fn line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    input.take(LINE).read_until(b'\n', &mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok((!bytes.is_empty()).then(|| text.trim_end().to_owned()))
}

fn broken(error: io::Error) -> String {
    format!("it cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(&mut text.as_bytes()).unwrap_err()
    }

    #[test]
    fn messages_are_read_one_after_the_other() {
        let body = r#"{"jsonrpc":"2.0","method":"exit"}"#;
        let text = format!(
            "Content-Length: {}\r\n\r\n{body}content-length: {}\r\nX: y\r\n\r\n\
             {body}",
            body.len(),
            body.len()
        );
        let mut input = text.as_bytes();
        for _ in 0..2 {
            assert!(matches!(
                read(&mut input),
                Ok(Some(Message::Notification(exit))) if exit.method == "exit"
            ));
        }
        assert!(read(&mut input).unwrap().is_none());
    }

    #[test]
    fn anything_else_is_an_error_that_says_what_it_is() {
        assert!(error("hello\n").contains("\"hello\" is not a header line"));
        assert!(
            error("Content-Length: 99999999999999999\r\n\r\n").contains("is not a message length")
        );
        assert!(error("Content-Length: -1\r\n\r\n").contains("is not a message length"));
        assert!(error("Content-Type: a\r\n\r\n").contains("has no Content-Length"));
        assert!(error("Content-Length: 10\r\n\r\n{}").contains("ends in the middle of a message"));
        assert!(error("Content-Length: 2\r\n\r\n{}").contains("invalid message"));
        assert!(error("Content-Length: 2\r\n").contains("ends in the middle of a header"));
        assert!(error(&"x".repeat(1 << 20)).len() < 2000);
    }
}
