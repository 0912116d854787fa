//! The language server, as editors use it: over pipes.

mod hostile;

use std::path::PathBuf;

use pallet_tests::{Editor, Project, root, workspace};
use serde_json::{Value, json};

const GOOD: &str = r#"load("@nginx", "nginx")
load("lib/pages.star", "page")

def web(request, port = 80):
    """Serves a page.

    Its name is the node's.
    """
    nginx.install(request)
    nginx.site(request, "hello", port = port, root = "/srv/hello")
    page(request, title = "hello")
    remote_file(request, "/srv/hello/x", content = "x")

web_group = group_spec("web", count = 1, phases = {"configure": web})
"#;

const PAGES: &str = "def page(request, title, colour = \"red\"):\n    \"\"\"Writes a \
    page.\"\"\"\n    directory(request, \"/srv/\" + title)\n";

fn project() -> Project {
    let project = Project::empty();
    project.write("pallet.toml", "[project]\nname = \"shop\"\n");
    project.write("pallet.star", GOOD);
    project.write("lib/pages.star", PAGES);
    project
}

/// The messages of diagnostics, with their ranges.
fn told(diagnostics: &[Value]) -> Vec<(String, [u64; 4])> {
    let number = |place: &Value, key: &str| place[key].as_u64().unwrap();
    let one = |diagnostic: &Value| {
        let (start, end) = (&diagnostic["range"]["start"], &diagnostic["range"]["end"]);
        let range = [
            number(start, "line"),
            number(start, "character"),
            number(end, "line"),
            number(end, "character"),
        ];
        (diagnostic["message"].as_str().unwrap().to_owned(), range)
    };
    diagnostics.iter().map(one).collect()
}

fn labels(completion: &Value) -> Vec<&str> {
    completion["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["label"].as_str().unwrap())
        .collect()
}

/// The completion items at `|` in a text that the editor has just opened.
fn offered(editor: &mut Editor, version: i64, marked: &str) -> Value {
    editor.edit("pallet.star", version, &marked.replace('|', ""));
    editor.ask_at("textDocument/completion", "pallet.star", marked)
}

fn hover(editor: &mut Editor, marked: &str) -> String {
    let found = editor.ask_at("textDocument/hover", "pallet.star", marked);
    found["contents"]["value"].as_str().unwrap_or_default().to_owned()
}

/// The text with a mark before the first `at`.
fn mark(text: &str, at: &str) -> String {
    assert!(text.contains(at), "{text} has no {at}");
    text.replacen(at, &format!("|{at}"), 1)
}

#[test]
fn mistakes_are_told_as_they_are_made_and_mended() {
    let project = project();
    let mut editor = Editor::open(&project);
    assert_eq!(editor.edit("pallet.star", 1, GOOD), Vec::<Value>::new());

    // the range counts units of UTF-16
    let wrong = GOOD.replace("\"hello\", port = port", "\"\u{1f600}\", prot = port");
    let found = told(&editor.edit("pallet.star", 2, &wrong));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].0.contains("nginx.site has no parameter `prot`")
            && found[0].0.contains("did you mean `port`?"),
        "{found:?}"
    );
    assert_eq!(found[0].1, [9, 30, 9, 34]);
    assert_eq!(editor.edit("pallet.star", 3, GOOD), Vec::<Value>::new());

    // errors of the evaluation, as `check` finds them, are reported too
    let twice = format!("{GOOD}group_spec(\"web\")\n");
    let found = told(&editor.edit("pallet.star", 4, &twice));
    assert!(found[0].0.contains("there are two groups `web`") && found[0].1[0] == 14, "{found:?}");

    // a file that is not open, and one that is not on disk
    let found =
        told(&editor.edit("pallet.star", 5, &GOOD.replace("lib/pages.star", "lib/none.star")));
    assert!(found[0].0.contains("there is no file lib/none.star"), "{found:?}");
    assert_eq!(found[0].1, [1, 5, 1, 20]);
    editor.edit("lib/none.star", 1, PAGES);
    assert_eq!(editor.diagnostics("pallet.star", Some(5)), Vec::<Value>::new());
    let found = told(&editor.edit("lib/none.star", 2, &PAGES.replace("directory(", "directroy(")));
    assert!(found[0].0.contains("directroy"), "{found:?}");

    // a crate that is not installed, text that is not Starlark, and the configuration
    let found = told(&editor.edit("pallet.star", 6, &GOOD.replace("@nginx", "@nginks")));
    assert!(
        found[0].0.contains("there is no crate `nginks`")
            && found[0].0.contains("did you mean `nginx`?"),
        "{found:?}"
    );
    let found = told(&editor.edit("pallet.star", 7, "def web(request:\n    pass\n"));
    assert_eq!((found.len(), found[0].1[0]), (1, 1), "{found:?}");
    editor.edit("pallet.star", 8, GOOD);
    let found = told(&editor.edit("pallet.toml", 1, "default_service = \"lab\"\n"));
    assert!(
        found[0].0.contains("there is no service `lab`") && found[0].1 == [0, 18, 0, 23],
        "{found:?}"
    );
    let found = told(&editor.edit(
        "pallet.toml",
        2,
        "[services.lab]\nprovider = \"localhost\"\n\
        colour = 1\n",
    ));
    assert!(found[0].0.contains("colour") && found[0].1[0] == 2, "{found:?}");
    let found = told(&editor.edit("pallet.toml", 3, "[services.lab\n"));
    assert_eq!(found[0].1[0], 0, "{found:?}");
    assert_eq!(
        editor.edit("pallet.toml", 4, "[services.lab]\nprovider = \"localhost\"\n"),
        Vec::<Value>::new()
    );
    assert_eq!(editor.close().code(), Some(0));
}

#[test]
fn what_could_be_written_is_offered() {
    let project = project();
    let mut editor = Editor::open(&project);
    editor.edit("pallet.star", 1, GOOD);

    // names: declarations, actions, Starlark's builtins, the project's, and those visible only in a
    // function
    let found = offered(&mut editor, 2, &format!("{GOOD}|"));
    let names = labels(&found);
    for name in [
        "group_spec",
        "node_spec",
        "remote_file",
        "nginx",
        "web",
        "page",
        "len",
        "lambda",
        "secret",
        "plan_when",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let items = |found: &Value| found["items"].as_array().unwrap().clone();
    let file = items(&found).into_iter().find(|item| item["label"] == "remote_file").unwrap();
    assert!(
        file["documentation"]["value"].as_str().unwrap().contains("remote_file(request"),
        "{file}"
    );

    // in a function that is being written
    let inside = GOOD.replace(
        "    page(request, title = \"hello\")\n",
        "    re|\n    page(request, title = \"hello\")\n",
    );
    let found = offered(&mut editor, 3, &inside);
    assert!(
        ["request", "remote_file", "return"].iter().all(|name| labels(&found).contains(name)),
        "{found}"
    );
    assert!(!labels(&found).contains(&"web"), "{found}");
    let edit = &found["items"][0]["textEdit"]["range"];
    assert_eq!(
        (&edit["start"], &edit["end"]),
        (&json!({"line": 10, "character": 4}), &json!({"line": 10, "character": 6}))
    );

    // functions of a crate, and unused keywords, while the text does not parse
    let found = offered(&mut editor, 4, &GOOD.replace("nginx.install(request)", "nginx.|"));
    assert_eq!(labels(&found), functions_of_nginx());
    let found = offered(&mut editor, 5, &GOOD.replace("root = \"/srv/hello\")", "|"));
    let names = labels(&found);
    assert!(names.contains(&"root") && !names.contains(&"port"), "{names:?}");
    let root = items(&found).into_iter().find(|item| item["label"] == "root").unwrap();
    assert_eq!(root["textEdit"]["newText"], "root = ");
    let found = offered(&mut editor, 6, &GOOD.replace("content = \"x\")", "|"));
    assert!(
        ["content", "mode", "if_flag"].iter().all(|name| labels(&found).contains(name)),
        "{found}"
    );
    let found = offered(&mut editor, 7, &GOOD.replace("count = 1, phases", "|, phases"));
    assert!(labels(&found).contains(&"node_spec") && labels(&found).contains(&"count"), "{found}");
    // a function of the project itself, in another file
    let found = offered(&mut editor, 8, &GOOD.replace("title = \"hello\")", "|"));
    assert!(labels(&found).contains(&"title") && labels(&found).contains(&"colour"), "{found}");
    // a value, where no keyword is possible
    let found = offered(&mut editor, 9, &GOOD.replace("content = \"x\")", "content = m|)"));
    assert!(!labels(&found).contains(&"mode") && labels(&found).contains(&"mount"), "{found}");
    // the values that a parameter lists
    let found =
        offered(&mut editor, 10, "def f(request):\n    service(request, \"x\", action = \"|\")\n");
    assert!(labels(&found).contains(&"restart"), "{found}");

    // load statements: crates and files, and the names in both
    let found = offered(&mut editor, 11, "load(\"@n|");
    assert_eq!(labels(&found), ["@nginx", "@nodejs"]);
    let found = offered(&mut editor, 12, "load(\"|");
    assert!(
        labels(&found).contains(&"@nginx") && labels(&found).contains(&"lib/pages.star"),
        "{found}"
    );
    let found = offered(&mut editor, 13, "load(\"@nginx\", \"|\")\n");
    assert!(labels(&found).starts_with(&["nginx"]) && labels(&found).contains(&"site"), "{found}");
    let found = offered(&mut editor, 14, "load(\"lib/pages.star\", \"|\")\n");
    assert_eq!(labels(&found), ["page"]);

    // the request
    let found = offered(&mut editor, 15, "def f(request):\n    x = request.target.|\n");
    assert!(labels(&found).contains(&"name") && labels(&found).contains(&"os_family"), "{found}");
    let found = offered(&mut editor, 16, "def f(request):\n    # request.|\n");
    assert_eq!(labels(&found), Vec::<&str>::new());
    let found = offered(&mut editor, 17, "x = \"request.|\"\n");
    assert_eq!(labels(&found), Vec::<&str>::new());
    assert_eq!(editor.close().code(), Some(0));
}

fn functions_of_nginx() -> Vec<String> {
    let project = Project::empty();
    let output = project.run(&["doc", "nginx", "--output", "json"]).exits(0);
    let lines = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let names =
        lines.filter_map(|value| value["name"].as_str()?.strip_prefix("nginx.").map(str::to_owned));
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert!(names.contains(&"site".to_owned()), "{names:?}");
    names
}

#[test]
fn what_is_under_the_cursor_is_explained_and_found() {
    let project = project();
    let mut editor = Editor::open(&project);
    editor.edit("pallet.star", 1, GOOD);

    // the same texts as `pallet-cli doc`
    for (at, name, start) in [
        ("remote_file(", "remote_file", "remote_file(request"),
        ("group_spec(", "group_spec", "group_spec(name"),
    ] {
        let said = hover(&mut editor, &mark(GOOD, at));
        assert!(said.contains(&format!("```python\n{start}")), "{said}");
        let doc = project.run(&["doc", name]).exits(0).stdout;
        let sentence = doc.lines().nth(2).unwrap();
        assert!(said.replace('\n', " ").contains(sentence), "{said} lacks {sentence}");
    }
    let said = hover(&mut editor, &mark(GOOD, "site(request"));
    assert!(said.contains("nginx.site(request") && said.contains("- `root`: "), "{said}");
    let said = hover(&mut editor, &mark(GOOD, "nginx.install"));
    assert!(said.contains("**crate nginx") && said.contains("`nginx.install(request"), "{said}");
    let said = hover(&mut editor, &mark(GOOD, "port = port"));
    assert!(said.contains("`port` of `nginx.site`: an integer"), "{said}");
    let said = hover(&mut editor, &mark(GOOD, "web})"));
    assert!(
        said.contains("def web(request, port = 80)")
            && said.contains(
                "Serves a page.\n\n\
        Its name is the node's."
            ),
        "{said}"
    );
    let said = hover(&mut editor, &mark(GOOD, "page(request"));
    assert!(
        said.contains("def page(request, title, colour = \"red\")")
            && said.contains("Writes a page."),
        "{said}"
    );
    assert!(hover(&mut editor, &mark(GOOD, "@nginx")).contains("**crate nginx"));
    assert_eq!(hover(&mut editor, &mark(GOOD, "= group_spec")), "");

    // definitions: in the file, in another one, and the load statement for a crate's function
    let mut place = |at: &str| {
        let found = editor.ask_at("textDocument/definition", "pallet.star", &mark(GOOD, at));
        let uri = found["uri"].as_str().unwrap_or_default();
        (
            uri.rsplit('/').next().unwrap().to_owned(),
            found["range"]["start"]["line"].as_u64(),
            found["range"]["start"]["character"].as_u64(),
        )
    };
    let at = |file: &str, line, character| (file.to_owned(), Some(line), Some(character));
    assert_eq!(place("web})"), at("pallet.star", 3, 4));
    assert_eq!(place("port, root"), at("pallet.star", 3, 17));
    assert_eq!(place("page(request"), at("pages.star", 0, 4));
    assert_eq!(place("lib/pages"), at("pages.star", 0, 0));
    assert_eq!(place("page\")"), at("pages.star", 0, 4));
    assert_eq!(place("install(request"), at("pallet.star", 0, 15));
    assert_eq!(place("remote_file("), (String::new(), None, None));
    assert_eq!(editor.close().code(), Some(0));
}

#[test]
fn it_serves_files_of_no_project_and_sees_new_plugins() {
    let project = Project::empty();
    let mut editor = Editor::open(&project);
    // no pallet.toml: the file is looked at alone
    let text = "load(\"@greet\", \"greet\")\n";
    let found = told(&editor.edit("notes.star", 1, text));
    assert!(found[0].0.contains("there is no crate `greet`"), "{found:?}");
    // who opens a project runs none of its code, and sees the user's own plugins
    let put = |plugins: PathBuf| {
        std::fs::create_dir_all(&plugins).unwrap();
        let library = plugins.join("libpallet_crate_greet.so");
        std::fs::copy(workspace().fixture("crate_greet"), library).unwrap();
    };
    put(project.directory().join(".pallet/plugins"));
    let found = told(&editor.edit("notes.star", 2, &format!("{text}\n")));
    assert!(found[0].0.contains("there is no crate `greet`"), "{found:?}");
    put(project.home().join(".local/share/pallet/plugins"));
    assert_eq!(editor.edit("notes.star", 3, &format!("{text}\n\n")), Vec::<Value>::new());

    // closed files get no more diagnostics
    let found = told(&editor.edit("notes.star", 4, "x = \n"));
    assert_eq!(found.len(), 1, "{found:?}");
    let uri = editor.uri("notes.star");
    editor.tell("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    assert_eq!(editor.diagnostics("notes.star", None), Vec::<Value>::new());

    // requests about files that are not open, and invalid requests
    assert_eq!(editor.ask_at("textDocument/hover", "notes.star", "|"), Value::Null);
    let error = editor.answer("textDocument/rename", json!({}));
    assert_eq!(error["error"]["code"], -32601, "{error}");
    let error = editor.answer("textDocument/hover", json!({"position": 7}));
    assert_eq!(error["error"]["code"], -32602, "{error}");
    editor.tell("textDocument/didOpen", json!({"nonsense": true}));
    editor.tell(
        "textDocument/didOpen",
        json!({"textDocument": {"uri": "untitled:1", "languageId": "x", "version": 1, "text": "x"}})
    );
    assert_eq!(editor.close().code(), Some(0));
}

#[test]
fn what_is_shown_for_editors_can_be_read() {
    let mut read = 0;
    let document = "docs/editors.md";
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let block: String = match line {
            "```toml" | "```json" => lines
                .by_ref()
                .take_while(|line| *line != "```")
                .map(|line| format!("{line}\n"))
                .collect(),
            _ => continue,
        };
        let is_right = match line {
            "```toml" => block.parse::<toml::Table>().map(drop).map_err(|error| error.to_string()),
            _ => serde_json::from_str::<Value>(&block).map(drop).map_err(|error| error.to_string()),
        };
        assert_eq!(is_right, Ok(()), "{document}:\n{block}");
        read += usize::from(block.contains("\"lsp\""));
    }
    assert_eq!(read, 2, "Helix and VS Code");
}
