//! Registries that differ from Debian's: tokens, referrers, answers that violate the specification.
//! A small server emulates them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use pallet_core::distribution::artifact::{Descriptor, Digest};
use pallet_core::distribution::repository::Content;
use pallet_core::distribution::signature::{KeyAlgorithm, Signed, Signer, SigningKey, sign};
use serde_json::json;

use super::signature::signed;
use super::*;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A request that the server received.
#[derive(Debug, Clone)]
struct Asked {
    line: String,
    authorization: String,
    body: Vec<u8>,
}

/// The behaviour and the content of the server.
#[derive(Default)]
struct State {
    /// Requires this token, which it issues for a password or an identity token.
    token: Option<&'static str>,
    /// Supports the referrers API.
    lists_referrers: bool,
    /// Answers every request like this.
    always: Option<(u16, &'static str)>,
    blobs: BTreeMap<String, Vec<u8>>,
    manifests: BTreeMap<String, Vec<u8>>,
    asked: Vec<Asked>,
}

/// A server on a free port; its thread ends with the program.
struct Server {
    host: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(state));
        let (shared, name) = (state.clone(), host.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // input that is not HTTP, such as the beginning of TLS, gets this answer
                let _ = answer(stream, &name, &shared);
            }
        });
        Server { host, state }
    }

    fn repository(&self, access: &Access) -> Box<dyn Repository> {
        block_on(open(&format!("oci://{}/acme/a", self.host).parse().unwrap(), access)).unwrap()
    }

    fn asked(&self, start: &str) -> Vec<Asked> {
        self.state
            .lock()
            .unwrap()
            .asked
            .iter()
            .filter(|asked| asked.line.starts_with(start))
            .cloned()
            .collect()
    }
}

fn answer(mut stream: TcpStream, host: &str, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    let Ok(line) = String::from_utf8(line) else {
        return stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n");
    };
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        let (name, value) = header.trim().split_once(": ").unwrap_or_default();
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => value.clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asked = Asked { line: line.trim().to_owned(), authorization, body };
    let mut state = state.lock().unwrap();
    state.asked.push(asked.clone());
    let (status, headers, content) = respond(&asked, host, &mut state);
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\
        {headers}\r\n",
        content.len()
    );
    stream.write_all(head.as_bytes())?;
    if !asked.line.starts_with("HEAD") {
        stream.write_all(&content)?;
    }
    Ok(())
}

fn respond(asked: &Asked, host: &str, state: &mut State) -> (u16, String, Vec<u8>) {
    let plain = |status: u16| (status, String::new(), Vec::new());
    let (method, path) = asked.line.split_once(' ').unwrap();
    let path = path.split(' ').next().unwrap();
    if let Some((status, body)) = state.always {
        return (status, String::new(), body.as_bytes().to_vec());
    }
    if path.starts_with("/token") {
        let granted = asked.authorization.starts_with("Basic ")
            || String::from_utf8_lossy(&asked.body).contains("refresh_token=identity");
        let token = state.token.unwrap_or_default();
        return if granted {
            (
                200,
                String::new(),
                json!({ "token": token, "access_token": token }).to_string().into(),
            )
        } else {
            plain(401)
        };
    }
    if let Some(token) = state.token
        && asked.authorization != format!("Bearer {token}")
    {
        return (
            401,
            format!(
                "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"{host}\"\r\n"
            ),
            Vec::new(),
        );
    }
    let path = path.strip_prefix("/v2/acme/a/").unwrap_or_default();
    let (kind, name) = path.split_once('/').unwrap_or_default();
    match (method, kind) {
        ("POST", "blobs") => {
            (202, "Location: /v2/acme/a/blobs/uploads/1\r\n".to_owned(), Vec::new())
        }
        ("PUT", "blobs") => {
            state.blobs.insert(Digest::of(&asked.body).to_string(), asked.body.clone());
            (201, "Location: /v2/acme/a/blobs/1\r\n".to_owned(), Vec::new())
        }
        // without the Location header of the specification, like some registries
        ("PUT", "manifests") => {
            state.manifests.insert(name.to_owned(), asked.body.clone());
            state.manifests.insert(Digest::of(&asked.body).to_string(), asked.body.clone());
            plain(201)
        }
        ("GET", "manifests") => state
            .manifests
            .get(name)
            .map_or(plain(404), |found| (200, String::new(), found.clone())),
        ("GET" | "HEAD", "blobs") => {
            state.blobs.get(name).map_or(plain(404), |found| (200, String::new(), found.clone()))
        }
        ("GET", "referrers") if state.lists_referrers => {
            let refers = |content: &&Vec<u8>| {
                let manifest: Value = serde_json::from_slice(content).unwrap_or_default();
                manifest["subject"]["digest"].as_str() == Some(name)
            };
            let mut entries: Vec<Value> = Vec::new();
            for content in state.manifests.values().filter(refers) {
                let manifest: Value = serde_json::from_slice(content).unwrap();
                let descriptor =
                    Descriptor::of("application/vnd.oci.image.manifest.v1+json", content);
                let mut entry = serde_json::to_value(descriptor).unwrap();
                entry["artifactType"] = manifest["artifactType"].clone();
                entries.push(entry);
            }
            (
                200,
                String::new(),
                json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries })
                    .to_string()
                    .into(),
            )
        }
        ("GET", "referrers") => plain(405),
        _ => plain(404),
    }
}

fn push_and_sign(repository: &dyn Repository) -> (Descriptor, SigningKey) {
    let content = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }).to_string();
    let index = Descriptor::of(INDEX, content.as_bytes());
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    block_on(async {
        repository
            .put_blob(&Descriptor::of("text/plain", b"blob"), Content::Bytes(b"blob"))
            .await
            .unwrap();
        repository
            .put_manifest(&index, content.as_bytes(), Some(&"1.0.0".parse().unwrap()))
            .await
            .unwrap();
        sign(repository, &index, &key).await.unwrap();
    });
    (index, key)
}

#[test]
fn a_registry_that_lists_referrers_gets_no_fallback_tag() {
    for lists_referrers in [true, false] {
        let server = Server::start(State { lists_referrers, ..State::default() });
        let repository = server.repository(&Access::default());
        let (index, key) = push_and_sign(repository.as_ref());
        let fallback = format!("sha256-{}", index.digest.hex());
        assert_eq!(
            server.state.lock().unwrap().manifests.contains_key(&fallback),
            !lists_referrers
        );
        let found = signed(repository.as_ref(), &index.digest.to_string(), &[key.public()]);
        assert_eq!(found, Signed::By(Signer::Key(key.public())));
    }
}

/// The credentials for this registry, in docker's format.
fn access(directory: &Path, host: &str, entry: Value) -> Access {
    let file = directory.join("config.json");
    std::fs::write(&file, json!({ "auths": { host: entry } }).to_string()).unwrap();
    Access { credentials: vec![file], ..Access::default() }
}

#[test]
fn a_token_is_got_for_a_password_and_for_an_identity_token() {
    for entry in
        [json!({ "username": "me", "password": "word" }), json!({ "identitytoken": "identity" })]
    {
        let directory = tempfile::tempdir().unwrap();
        let server = Server::start(State { token: Some("opened"), ..State::default() });
        let repository = server.repository(&access(directory.path(), &server.host, entry));
        let (index, key) = push_and_sign(repository.as_ref());
        let found = signed(repository.as_ref(), &index.digest.to_string(), &[key.public()]);
        assert_eq!(found, Signed::By(Signer::Key(key.public())));
        let asked = server.asked("PUT ");
        assert!(
            !asked.is_empty() && asked.iter().all(|asked| asked.authorization == "Bearer opened"),
            "{asked:?}"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(State { token: Some("opened"), ..State::default() });
    let repository = server.repository(&access(
        directory.path(),
        &server.host,
        json!({ "identitytoken": "stale" }),
    ));
    let error = block_on(repository.versions()).unwrap_err().to_string();
    assert!(
        error.contains("does not accept the credentials of") && !error.contains("stale"),
        "{error}"
    );
}

#[test]
fn refusals_are_one_line_and_say_what_the_registry_says() {
    let html = "<html>\n<body>no</body>\n</html>";
    let denied = r#"{"errors":[{"code":"DENIED","message":"not\nfor you"}]}"#;
    let many = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
    let cases = [
        (403, denied, "the registry denies this to anonymous users: not for you"),
        (403, html, "the registry denies this to anonymous users"),
        (429, many, "the registry limits the rate of requests; try again later: slow down"),
        (503, html, "the registry answers with error 503"),
        (400, html, "error 400: <html> <body>no</body> </html>"),
    ];
    for (status, body, expected) in cases {
        let server = Server::start(State { always: Some((status, body)), ..State::default() });
        let repository = server.repository(&Access::default());
        let manifest = block_on(repository.manifest(&Reference::Version("1.0.0".parse().unwrap())))
            .unwrap_err()
            .to_string();
        let blob = Descriptor::of("text/plain", b"blob");
        let put =
            block_on(repository.put_blob(&blob, Content::Bytes(b"blob"))).unwrap_err().to_string();
        assert!(manifest.contains(expected), "{manifest}");
        assert!(!manifest.contains('\n') && !put.contains('\n'), "{manifest} {put}");
    }
}

#[test]
fn a_repository_that_has_to_be_created_is_said_so() {
    let server = Server::start(State { always: Some((404, "")), ..State::default() });
    let blob = Descriptor::of("text/plain", b"blob");
    let error =
        block_on(server.repository(&Access::default()).put_blob(&blob, Content::Bytes(b"blob")))
            .unwrap_err()
            .to_string();
    assert!(error.contains("create it first"), "{error}");
}

#[test]
fn a_manifest_that_is_not_what_was_asked_for_is_refused() {
    let server = Server::start(State::default());
    let repository = server.repository(&Access::default());
    let (index, _) = push_and_sign(repository.as_ref());
    server.state.lock().unwrap().manifests.insert(index.digest.to_string(), b"{}".to_vec());
    let error =
        block_on(repository.manifest(&Reference::Digest(index.digest))).unwrap_err().to_string();
    assert!(error.contains("was changed or damaged"), "{error}");
}
