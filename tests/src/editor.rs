//! A small editor: speaks the language server protocol with `pallet-cli lsp` over pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Project;

/// Timeout of an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// An editor with its own server.
#[derive(Debug)]
pub struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    directory: PathBuf,
    number: i64,
    /// Notifications received while waiting for an answer.
    pending: Vec<Value>,
}

impl Editor {
    /// An editor that has opened the project's directory and initialized the server.
    pub fn open(project: &Project) -> Self {
        let mut editor = Editor::start(project);
        let capabilities = editor
            .ask("initialize", json!({"processId": null, "rootUri": null, "capabilities": {}}));
        assert_eq!(capabilities["capabilities"]["hoverProvider"], true, "{capabilities}");
        editor.tell("initialized", json!({}));
        editor
    }

    /// An editor that has only started its server.
    pub fn start(project: &Project) -> Self {
        let mut command = project.command(&["lsp"]);
        command
            .current_dir(project.directory())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut server = crate::process::spawn(&mut command).unwrap();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let input = server.stdin.take();
        Editor {
            server,
            input,
            messages,
            directory: project.directory(),
            number: 0,
            pending: Vec::new(),
        }
    }

    /// The server's name for a file of the project.
    pub fn uri(&self, file: &str) -> String {
        uri(&self.directory.join(file))
    }

    /// Opens a file with this text, and returns its diagnostics.
    pub fn edit(&mut self, file: &str, version: i64, text: &str) -> Vec<Value> {
        let uri = self.uri(file);
        if version == 1 {
            self.tell(
                "textDocument/didOpen",
                json!({"textDocument": {
                    "uri": uri, "languageId": "starlark", "version": 1, "text": text,
                }}),
            );
        } else {
            let changes = json!([{"text": text}]);
            self.tell(
                "textDocument/didChange",
                json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": changes})
            );
        }
        self.diagnostics(file, Some(version))
    }

    /// The next diagnostics for this version of a file.
    pub fn diagnostics(&mut self, file: &str, version: Option<i64>) -> Vec<Value> {
        let uri = self.uri(file);
        let told = |message: &Value| {
            let params = &message["params"];
            message["method"] == "textDocument/publishDiagnostics"
                && params["uri"] == uri.as_str()
                && params["version"].as_i64() == version
        };
        let message = match self.pending.iter().position(told) {
            Some(at) => self.pending.remove(at),
            None => loop {
                let message = self.next();
                if told(&message) {
                    break message;
                }
                self.pending.push(message);
            },
        };
        message["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// Sends a request, and returns the result.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Sends a request, and returns the whole answer.
    pub fn answer(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let id = self.number;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.next();
            if message["id"] == id {
                return message;
            }
            self.pending.push(message);
        }
    }

    /// Sends a request about the position of `|` in a text that the server knows without it.
    pub fn ask_at(&mut self, method: &str, file: &str, marked: &str) -> Value {
        let before = &marked[..marked.find('|').expect("the text marks a place with |")];
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
        let document = json!({"uri": self.uri(file)});
        self.ask(
            method,
            json!({"textDocument": document, "position": {"line": line, "character": character}}),
        )
    }

    /// Sends a notification.
    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends arbitrary bytes. Ignores a server that has ended.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        let _ = input.write_all(bytes).and_then(|()| input.flush());
    }

    /// Shuts the server down, and returns its exit status.
    pub fn close(mut self) -> ExitStatus {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        self.end().0
    }

    /// Closes the input, and returns the server's exit status and stderr.
    pub fn end(mut self) -> (ExitStatus, String) {
        drop(self.input.take());
        let mut errors = String::new();
        self.server.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.server.wait().unwrap(), errors)
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.send_bytes(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    fn next(&mut self) -> Value {
        self.messages
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|error| panic!("the server says nothing: {error}"))
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Reads a message, or fails.
fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().unwrap(),
            None if line == "\r\n" => break,
            _ => panic!("{line:?} is not a header line"),
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

/// The URI of a file. The paths of tests need no quoting.
fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}
