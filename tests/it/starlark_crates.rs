//! Crates in Starlark: they go through the same doors as libraries.

mod bad;
mod confined;
mod published;

use std::fs;
use std::path::{Path, PathBuf};

use pallet_tests::Project;

/// A project on this machine, with the crate `web` in a directory beside it.
struct Shop {
    project: Project,
}

const MANIFEST: &str = "name = \"web\"\nversion = \"0.1.0\"\nabout = \"Pages\"\n\
    license = \"MIT\"\nsystems = [\"debian\"]\n";

const CODE: &str = r#"load("//lib/text.star", _line = "line")

def page(request, name: str, port: int = 80, tags: list[str] = []):
    """Writes a page.

    More about it.

    Example: `web.page(request, "a")`

    Args:
        name: Its name.
        port: Where it is
            served.
    """
    remote_file(
        request,
        "/srv/page-" + name,
        template = "@web/templates/page.j2",
        values = {"text": _line(name, port), "tags": tags},
    )
    return {"path": "/srv/page-" + name}

def _helper():
    pass
"#;

impl Shop {
    fn new() -> Self {
        let project = Project::empty();
        project
            .write("pallet.toml", "[services.here]\nprovider = \"localhost\"\ngroup = \"app\"\n");
        let shop = Shop { project };
        shop.write("crate.toml", MANIFEST);
        shop.write("crate.star", CODE);
        shop.write("lib/text.star", "def line(name, port):\n    return \"%s:%d\" % (name, port)\n");
        shop.write("templates/page.j2", "{% include 'part.j2' %} {{ tags|join(',') }}\n");
        shop.write("templates/part.j2", "page {{ text }}");
        shop
    }

    /// The directory of the crate.
    fn directory(&self) -> PathBuf {
        self.project.home().join("web")
    }

    /// Writes a file of the crate.
    fn write(&self, path: &str, content: &str) {
        let file = self.directory().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    /// Uses the crate by its path.
    fn by_path(self) -> Self {
        self.project.edit(
            "pallet.toml",
            "[services",
            &format!("[plugins]\nweb = {{ path = \"{}\" }}\n[services", self.directory().display()),
        );
        self
    }

    /// Declares a phase with this body.
    fn configures(&self, body: &str) {
        let text = format!(
            "load(\"@web\", \"web\")\n\ndef configure(request):\n    {body}\n\n\
             group_spec(\"app\", phases = {{\"configure\": configure}})\n"
        );
        self.project.write("pallet.star", text);
    }
}

#[test]
fn a_crate_is_used_by_its_path_and_documented_like_a_library() {
    let shop = Shop::new().by_path();
    shop.configures(
        "print(web.page(request, \"a\", port = 8080, tags = [\"x\", \"y\"])[\"path\"])",
    );
    shop.project
        .run(&["lift", "--dry-run", "--diff"])
        .exits(0)
        .says("remote_file /srv/page-a")
        .says("page a:8080 x,y")
        .says("/srv/page-a");
    shop.project
        .run(&["doc", "web.page"])
        .exits(0)
        .says("Writes a page")
        .says("Its name.")
        .says("Where it is served.");
    let whole = shop.project.run(&["doc", "web"]).exits(0);
    whole.says("crate web 0.1.0: Pages").says("systems: debian").says("everything is allowed");
    shop.project.run(&["crates"]).exits(0).says("web").says("page");

    // wrong arguments are found before anything runs, in functions that are never called too
    shop.configures("web.page(request, \"a\", port = \"http\")");
    let wrong = shop.project.run(&["check"]).exits(2);
    wrong.says("pallet.star:4").says("web.page: `port` must be an integer");
    shop.configures("web.page(request, nme = \"a\")");
    shop.project.run(&["check"]).exits(2).says("web.page has no parameter `nme`").says("name");
    shop.configures("web.pge(request, \"a\")");
    shop.project.run(&["check"]).exits(2).says("did you mean `page`?");
}

#[test]
fn modules_are_shared_within_a_project() {
    let shop = Shop::new();
    shop.project.write("lib/common.star", "load(\"//lib/deep.star\", \"deep\")\nname = deep\n");
    shop.project.write("lib/deep.star", "deep = \"/srv/deep\"\n");
    let star = "load(\"//lib/common.star\", \"name\")\n\ndef configure(request):\n    \
                directory(request, name)\n\n\
                group_spec(\"app\", phases = {\"configure\": configure})\n";
    shop.project.write("pallet.star", star);
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("directory /srv/deep");
    shop.project.edit("pallet.star", "//lib/common.star", "//../common.star");
    let out = shop.project.run(&["check"]).exits(2);
    out.says("`//../common.star` is outside the project");
}

#[test]
fn crates_call_each_other_whatever_they_are_written_in() {
    let shop = Shop::new().by_path();
    shop.write("crate.toml", &format!("{MANIFEST}[requires]\nnginx = \"*\"\n"));
    let code = "load(\"@nginx\", \"nginx\")\n\ndef site(request, name: str):\n    \
                nginx.install(request)\n    nginx.site(request, name)\n";
    shop.write("crate.star", code);
    shop.configures("web.site(request, \"hello\")");
    shop.project
        .run(&["lift", "--dry-run"])
        .exits(0)
        .says("remote_file /etc/nginx/sites-available/hello");
    // arguments are checked against the other crate's schema when the crate is loaded
    shop.write("crate.star", &code.replace(", name)", ", nme = name)"));
    let wrong = shop.project.run(&["check"]).exits(2);
    wrong.says("@web/crate.star:5").says("nginx.site: `name` is missing (and 1 more error)");
    shop.write("crate.toml", MANIFEST);
    shop.write("crate.star", code);
    shop.project.run(&["check"]).exits(2).says("`web` does not require it").says("[requires]");
}

/// `confined` is a library: it calls `greet`, which is written in Starlark here.
#[test]
fn a_library_calls_a_crate_in_starlark() {
    let project = Project::empty();
    let plugins = project.directory().join(".pallet/plugins");
    fs::create_dir_all(&plugins).unwrap();
    let library = pallet_tests::workspace().fixture("crate_confined");
    std::os::unix::fs::symlink(library, plugins.join(library.file_name().unwrap())).unwrap();
    let greet = |code: &str| project.write(".pallet/plugins/greet/crate.star", code);
    let manifest = "name = \"greet\"\nversion = \"0.1.0\"\nabout = \"x\"\n[capabilities]\n\
                    paths = [\"/srv/greet\"]\n";
    project.write(".pallet/plugins/greet/crate.toml", manifest);
    project.write("pallet.toml", "[services.here]\nprovider = \"localhost\"\ngroup = \"app\"\n");
    project.write(
        "pallet.star",
        "load(\"@confined\", \"confined\")\n\ndef configure(request):\n    \
         confined.greet(request, \"/srv/greet\")\n\n\
         group_spec(\"app\", phases = {\"configure\": configure})\n",
    );
    greet("def hello(request, path: str):\n    directory(request, path)\n");
    project.run(&["lift", "--dry-run"]).exits(0).says("directory /srv/greet");
    // it acts for itself, and nobody checked the arguments before
    greet("def hello(request, path: str):\n    directory(request, path + \"/x\")\n");
    let output = project.run(&["lift", "--dry-run"]);
    output.says("crate greet, function hello: directory /srv/greet/x is not allowed");
    greet("def hello(request, path: int):\n    directory(request, \"/srv\")\n");
    project.run(&["lift", "--dry-run"]).says("hello: `path` must be an integer");
}

#[test]
fn a_new_crate_is_written_tested_and_used() {
    let project = Project::empty();
    project
        .run_in(project.home(), &["new", "crate", "shop-front", "--starlark"])
        .exits(0)
        .says("wrote shop-front/crate.toml")
        .says("next: cd shop-front, pallet-cli test");
    let package = project.home().join("shop-front");
    for file in ["crate.star", "templates/motd.j2", "tests/greeting.star", "LICENSE-MIT"] {
        assert!(package.join(file).is_file(), "{file}");
    }
    project
        .run_in(&package, &["test", "--system", "debian"])
        .exits(0)
        .says("debian: greeting: passed, 1 change")
        .says("1 passed, 0 failed, 0 not tried");
    project
        .run_in(project.home(), &["new", "provider", "x", "--starlark"])
        .exits(2)
        .says("a provider is written in Rust");
    project
        .run_in(project.home(), &["new", "crate", "x", "--starlark", "--rust"])
        .exits(2)
        .says("cannot be used with");
}

/// The text of a file.
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
