//! The server: receives messages one after the other, and answers them.

use std::collections::BTreeMap;
use std::io::{BufReader, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{anyhow, bail};
use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::{
    CompletionList, CompletionOptions, CompletionParams, CompletionResponse,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    GotoDefinitionParams, Hover, HoverContents, HoverParams, HoverProviderCapability,
    InitializeResult, Location, MarkupContent, MarkupKind, OneOf, PublishDiagnosticsParams, Range,
    SaveOptions, ServerCapabilities, ServerInfo, TextDocumentPositionParams,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::completion::completion;
use super::definition::definition;
use super::documents::{Documents, name_in, path_of, uri_of};
use super::hover::hover;
use super::names::NameIndex;
use super::position::{offset, position, range};
use super::wire;
use super::workspace::Workspace;
use crate::context::Context;
use crate::project::LoadOptions;

/// How long the user must pause before changes are checked.
const PAUSE: Duration = Duration::from_millis(150);

/// Serves the editor that started this process, until it sends `exit`.
pub(crate) fn serve(context: &Context) -> anyhow::Result<ExitCode> {
    let mut server = Server {
        context,
        options: context.load_options()?,
        reference: NameIndex::new(),
        documents: Documents::default(),
        workspaces: BTreeMap::new(),
        changed: false,
        stage: Stage::New,
    };
    let (sender, receiver) = channel();
    // nothing can interrupt the read; the thread ends with the process
    std::thread::spawn(move || read_all(&sender));
    server.run(&receiver)
}

/// A received message.
enum Incoming {
    Message(Message),
    Broken(String),
    End,
}

fn read_all(sender: &Sender<Incoming>) {
    let mut input = BufReader::new(stdin());
    loop {
        let incoming = match wire::read(&mut input) {
            Ok(Some(message)) => Incoming::Message(message),
            Ok(None) => Incoming::End,
            Err(error) => Incoming::Broken(error),
        };
        let goes_on = matches!(incoming, Incoming::Message(_));
        if sender.send(incoming).is_err() || !goes_on {
            return;
        }
    }
}

/// The stage of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Initialized,
    ShutDown,
}

struct Server<'a> {
    context: &'a Context,
    options: LoadOptions,
    reference: NameIndex,
    documents: Documents,
    /// The state of each directory with open files.
    workspaces: BTreeMap<PathBuf, Workspace>,
    /// A file has changed since the last check.
    changed: bool,
    stage: Stage,
}

/// The place that a request is about.
struct Query<'a> {
    workspace: &'a Workspace,
    file: String,
    text: &'a str,
    at: usize,
}

impl Server<'_> {
    fn run(&mut self, receiver: &Receiver<Incoming>) -> anyhow::Result<ExitCode> {
        loop {
            let incoming = match self.changed {
                true => receiver.recv_timeout(PAUSE),
                false => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match incoming {
                Ok(Incoming::Message(Message::Request(request))) => self.request(request),
                Ok(Incoming::Message(Message::Notification(notification)))
                    if notification.method == "exit" =>
                {
                    return Ok(if self.stage == Stage::ShutDown {
                        ExitCode::SUCCESS
                    } else {
                        ExitCode::FAILURE
                    });
                }
                Ok(Incoming::Message(Message::Notification(notification))) => {
                    self.notification(notification)
                }
                // the server never sends requests
                Ok(Incoming::Message(Message::Response(_))) => {}
                Ok(Incoming::Broken(error)) => {
                    bail!(
                        "stdin is not the language server protocol: {error}; an editor starts \
                         `pallet-cli lsp` (docs/editors.md)"
                    )
                }
                Ok(Incoming::End) | Err(RecvTimeoutError::Disconnected) => {
                    bail!("stdin ended before the editor sent `exit`")
                }
                Err(RecvTimeoutError::Timeout) => self.check(),
            }
        }
    }

    fn send(&self, message: &Message) {
        let mut bytes = Vec::new();
        // if the editor is gone, its end of stdin tells us
        if message.clone().write(&mut bytes).is_ok() {
            self.context.printer.raw(&bytes);
        }
    }

    fn request(&mut self, request: Request) {
        let id = request.id.clone();
        let response = match self.answer(request) {
            Ok(value) => Response::new_ok(id, value),
            Err((code, message)) => Response::new_err(id, code as i32, message),
        };
        self.send(&Message::Response(response));
    }

    fn answer(&mut self, request: Request) -> Result<Value, (ErrorCode, String)> {
        let invalid = |error: anyhow::Error| (ErrorCode::InvalidParams, format!("{error:#}"));
        match (self.stage, request.method.as_str()) {
            (Stage::New, "initialize") => {
                self.stage = Stage::Initialized;
                json(&initialized()).map_err(invalid)
            }
            (Stage::New, _) => {
                Err((ErrorCode::ServerNotInitialized, "the server is not initialized".to_owned()))
            }
            (Stage::ShutDown, _) => Err((
                ErrorCode::InvalidRequest,
                "after `shutdown`, only `exit` is valid".to_owned(),
            )),
            (_, "shutdown") => {
                self.stage = Stage::ShutDown;
                Ok(Value::Null)
            }
            (_, "textDocument/completion" | "textDocument/hover" | "textDocument/definition") => {
                self.about(request).map_err(invalid)
            }
            (_, other) => Err((ErrorCode::MethodNotFound, format!("unknown method {other}"))),
        }
    }

    /// Answers a request about a place.
    fn about(&mut self, request: Request) -> anyhow::Result<Value> {
        self.ready();
        match request.method.as_str() {
            "textDocument/completion" => self.completion(request.params),
            "textDocument/hover" => self.hover(request.params),
            _ => self.definition(request.params),
        }
    }

    fn notification(&mut self, notification: Notification) {
        if self.stage != Stage::Initialized {
            return;
        }
        // notifications have no answer, so errors cannot be reported
        let _ = self.take(notification);
    }

    fn take(&mut self, notification: Notification) -> anyhow::Result<()> {
        match notification.method.as_str() {
            "textDocument/didOpen" => {
                let opened =
                    params::<DidOpenTextDocumentParams>(notification.params)?.text_document;
                self.documents.set(opened.uri, opened.version, opened.text);
            }
            "textDocument/didChange" => {
                let changed = params::<DidChangeTextDocumentParams>(notification.params)?;
                // each change contains the whole text
                if let Some(change) = changed.content_changes.into_iter().next_back() {
                    self.documents.set(
                        changed.text_document.uri,
                        changed.text_document.version,
                        change.text,
                    );
                }
            }
            "textDocument/didClose" => {
                let closed =
                    params::<DidCloseTextDocumentParams>(notification.params)?.text_document;
                self.documents.close(&closed.uri);
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {}
            _ => return Ok(()),
        }
        self.changed = true;
        Ok(())
    }

    /// Checks everything, and publishes the diagnostics.
    fn check(&mut self) {
        self.changed = false;
        let homes = self.documents.homes();
        let gone: Vec<PathBuf> = self
            .workspaces
            .keys()
            .filter(|directory| !homes.contains(*directory))
            .cloned()
            .collect();
        let mut found = Vec::new();
        for directory in gone {
            let gone = self.workspaces.remove(&directory);
            found.extend(gone.iter().flat_map(Workspace::faulty).map(|path| (path, Vec::new())));
        }
        for directory in homes {
            let workspace = self
                .workspaces
                .entry(directory.clone())
                .or_insert_with(|| Workspace::new(directory));
            found.extend(workspace.check(self.context, &self.options, &self.documents));
        }
        for (path, diagnostics) in found {
            let document = self.documents.get(&path);
            let Some(uri) = document.map(|document| document.uri.clone()).or_else(|| uri_of(&path))
            else {
                continue;
            };
            let told = PublishDiagnosticsParams {
                uri,
                diagnostics,
                version: document.map(|document| document.version),
            };
            self.send(&Message::Notification(Notification::new(
                "textDocument/publishDiagnostics".to_owned(),
                told,
            )));
        }
    }

    /// Makes sure that every open directory has been checked at least once. Later changes are taken
    /// from the text alone.
    fn ready(&mut self) {
        if self.changed
            && self
                .documents
                .homes()
                .iter()
                .any(|directory| !self.workspaces.contains_key(directory))
        {
            self.check();
        }
    }

    /// The place that a request is about, or `None` if its file is not open.
    fn asked(&self, asked: &TextDocumentPositionParams) -> Option<Query<'_>> {
        let path = path_of(&asked.text_document.uri)?;
        let directory = self.documents.home(&path);
        let text = &self.documents.get(&path)?.text;
        let workspace = self.workspaces.get(&directory)?;
        Some(Query {
            workspace,
            file: name_in(&directory, &path)?,
            text,
            at: offset(text, asked.position),
        })
    }

    fn completion(&self, given: Value) -> anyhow::Result<Value> {
        let given = params::<CompletionParams>(given)?.text_document_position;
        let Some(asked) = self.asked(&given) else { return Ok(Value::Null) };
        let items = completion(&self.reference, asked.workspace, &asked.file, asked.text, asked.at);
        // incomplete: after a letter there can be items that an empty word does not offer
        json(&CompletionResponse::List(CompletionList { is_incomplete: true, items }))
    }

    fn hover(&self, given: Value) -> anyhow::Result<Value> {
        let given = params::<HoverParams>(given)?.text_document_position_params;
        let Some(asked) = self.asked(&given) else { return Ok(Value::Null) };
        let Some((value, about)) =
            hover(&self.reference, asked.workspace, &asked.file, asked.text, asked.at)
        else {
            return Ok(Value::Null);
        };
        let range = Range::new(position(asked.text, about.start), position(asked.text, about.end));
        let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
        json(&Hover { contents, range: Some(range) })
    }

    fn definition(&self, given: Value) -> anyhow::Result<Value> {
        let given = params::<GotoDefinitionParams>(given)?.text_document_position_params;
        let Some(asked) = self.asked(&given) else { return Ok(Value::Null) };
        let found = definition(&self.reference, asked.workspace, &asked.file, asked.text, asked.at);
        let Some((file, place)) = found else { return Ok(Value::Null) };
        let path = Path::new(&asked.workspace.directory).join(&file);
        let uri = self
            .documents
            .get(&path)
            .map(|document| document.uri.clone())
            .or_else(|| uri_of(&path));
        let uri = uri.ok_or_else(|| anyhow!("{} has no URI", path.display()))?;
        json(&Location::new(uri, place.as_ref().map(range).unwrap_or_default()))
    }
}

fn params<T: DeserializeOwned>(given: Value) -> anyhow::Result<T> {
    Ok(serde_json::from_value(given)?)
}

fn json(value: &impl Serialize) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(value)?)
}

/// What this server can do.
fn initialized() -> InitializeResult {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::FULL),
        save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions {
            include_text: Some(false),
        })),
        ..TextDocumentSyncOptions::default()
    };
    let triggers = [".", "\"", "@", "(", ","].map(str::to_owned).to_vec();
    let capabilities = ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(triggers),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    };
    let server_info = ServerInfo {
        name: "pallet-cli".to_owned(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    };
    InitializeResult { capabilities, server_info: Some(server_info) }
}
