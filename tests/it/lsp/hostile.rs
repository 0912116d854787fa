//! The language server with truncated text, and with editors that violate the protocol.

use pallet_tests::Editor;
use serde_json::{Value, json};

use super::{GOOD, project};

#[test]
fn text_that_is_cut_anywhere_ends_in_an_answer() {
    let project = project();
    let mut editor = Editor::open(&project);
    editor.edit("pallet.star", 1, GOOD);
    let uri = editor.uri("pallet.star");
    for (number, (at, _)) in GOOD.char_indices().enumerate().step_by(7) {
        let version = number as i64 + 2;
        let (text, rest) = GOOD.split_at(at);
        for text in [text.to_owned(), format!("{text}\u{1f600}{rest}")] {
            let changes = json!([{"text": text}]);
            editor.tell(
                "textDocument/didChange",
                json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": changes})
            );
            let marked = format!("{}|", &text[..at]);
            for method in
                ["textDocument/completion", "textDocument/hover", "textDocument/definition"]
            {
                editor.ask_at(method, "pallet.star", &marked);
            }
        }
    }
    assert_eq!(editor.edit("pallet.star", 100_000, GOOD), Vec::<Value>::new());
    assert_eq!(editor.close().code(), Some(0));
}

#[test]
fn what_is_no_protocol_ends_with_an_error() {
    let project = project();
    for bytes in [
        "hello\n",
        "Content-Length: 99999999999999999999\r\n\r\n",
        "Content-Length: 5\r\n\r\nhello",
        "Content-Length: 500\r\n\r\n{",
        "\u{0}\u{1}\r\n\r\n",
    ] {
        let mut editor = Editor::start(&project);
        editor.send_bytes(bytes.as_bytes());
        let (status, errors) = editor.end();
        assert_eq!(status.code(), Some(2), "{bytes:?}: {errors}");
        assert!(
            errors.starts_with("error: stdin is not the language server protocol"),
            "{bytes:?}: {errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    // an editor that dies, one that skips `initialize`, and one that skips `shutdown`
    let (status, errors) = Editor::open(&project).end();
    assert!(
        status.code() == Some(2) && errors.contains("stdin ended before the editor sent"),
        "{status}: {errors}"
    );
    let mut editor = Editor::start(&project);
    assert_eq!(editor.answer("textDocument/hover", json!({}))["error"]["code"], -32002);
    editor.tell("exit", Value::Null);
    assert_eq!(editor.end().0.code(), Some(1));
    project.run(&["lsp", "--output", "json"]).exits(2).says("--output json cannot be used here");
}
