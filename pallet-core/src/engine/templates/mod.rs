//! Renders template files like Jinja2.
//!
//! The library is MiniJinja; where it differs from Jinja2, this module adapts it.
//! `jinja2/answers.json` has the output of Jinja2 itself for more than 300 snippets, and a test
//! compares them all.

mod arguments;
mod comment;
mod cycler;
mod filters;
mod methods;
mod percent;
mod roots;
mod wrap;

use std::borrow::Cow;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value;

pub(super) use roots::Roots;

/// Maximum number of steps of a template.
const STEPS: u64 = 5_000_000;

/// The environment that renders the templates of a project. Templates can include and import other
/// files by their path in the project, or relative to their own directory.
pub(super) fn environment(roots: &Roots) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // ends endless loops
    environment.set_fuel(Some(STEPS));
    // files on nodes are not HTML, whatever their names end with
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    // only invalid delimiters are an error, and these are the defaults
    environment.set_syntax(syntax.unwrap_or_default());
    environment.set_unknown_method_callback(methods::call);
    filters::add(&mut environment);
    let own = roots.clone();
    environment.set_loader(move |name| load(&own, name));
    let own = roots.clone();
    environment.set_path_join_callback(move |name, parent| beside(&own, name, parent));
    environment
}

/// Renders a template with values. `name` is its path in the project. The error is one line.
pub(super) fn render(
    environment: &Environment<'static>,
    name: &str,
    template: &str,
    values: &Value,
) -> Result<String, String> {
    // included files are read again for each rendering, since they may change
    let environment = environment.clone();
    environment
        .render_named_str(name, &prepared(template), value(values))
        .map_err(|error| why(name, &error))
}

/// Which template is wrong, where and why; names the included template if that is the cause.
fn why(name: &str, error: &Error) -> String {
    let mut cause = error;
    while let Some(inner) = std::error::Error::source(cause).and_then(|inner| inner.downcast_ref())
    {
        cause = inner;
    }
    let line = cause.line().map(|line| format!(":{line}")).unwrap_or_default();
    let why = cause.detail().map_or_else(|| cause.kind().to_string(), str::to_owned);
    format!("template {}{line}: {why}", cause.name().unwrap_or(name))
}

/// Adapts a template for MiniJinja: line ends as in Jinja2, and `%` formatting as a filter.
fn prepared(template: &str) -> String {
    let template = template.replace("\r\n", "\n").replace('\r', "\n");
    percent::with_filters(&template).into_owned()
}

/// The path of a template that another one includes: relative to that one if it exists there, else
/// to the project. A template of a crate sees the files of that crate alone.
fn beside<'n>(roots: &Roots, name: &'n str, parent: &str) -> Cow<'n, str> {
    let parent = Path::new(parent);
    let own = roots.crate_of(parent);
    let beside = parent.parent().map(|directory| directory.join(name));
    match beside.as_deref().and_then(Path::to_str) {
        Some(path)
            if roots.crate_of(Path::new(path)) == own
                && roots.inside(path).is_some_and(|path| path.is_file()) =>
        {
            Cow::Owned(path.to_owned())
        }
        _ => match own {
            Some(own) if roots.crate_of(Path::new(name)) != Some(own) => {
                Cow::Owned(format!("@{own}/{name}"))
            }
            _ => Cow::Borrowed(name),
        },
    }
}

fn load(roots: &Roots, name: &str) -> Result<Option<String>, Error> {
    let cannot = |why: String| {
        Error::new(ErrorKind::InvalidOperation, format!("cannot read the template {name}: {why}"))
    };
    let path = roots
        .inside(name)
        .ok_or_else(|| cannot("a template is named by its path in the project".to_owned()))?;
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(error.to_string())),
        // reading anything else might never end
        Ok(data) if !data.is_file() => return Err(cannot("it is not a regular file".to_owned())),
        Ok(_) => {}
    }
    match std::fs::read(&path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(Some(prepared(&text))),
        Ok(Err(_)) => Err(cannot("it is not UTF-8 text".to_owned())),
        Err(error) => Err(cannot(error.to_string())),
    }
}

/// Converts a value for templates; objects keep the order of their keys. Going through serde would
/// show numbers as objects if any package of the program enables serde_json's
/// `arbitrary_precision`.
pub(super) fn value(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(value) => minijinja::Value::from(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => minijinja::Value::from(number),
            (None, Some(number), _) => minijinja::Value::from(number),
            (None, None, Some(number)) => minijinja::Value::from(number),
            (None, None, None) => minijinja::Value::from(number.to_string()),
        },
        Value::String(text) => minijinja::Value::from(text.as_str()),
        Value::Array(values) => values.iter().map(self::value).collect(),
        Value::Object(values) => minijinja::Value::from_pairs(
            values.iter().map(|(key, value)| (key.as_str(), self::value(value))),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_the_order_in_which_they_were_written() {
        let values = serde_json::from_str(
            r#"{"t": {"z": 1, "a": {"y": 2, "b": [{"x": 3, "c": 4}]}, "m": 5}}"#,
        )
        .unwrap();
        let environment = environment(&Roots::of("/none".into()));
        for (template, wanted) in [
            (
                "{% for k, v in t|items %}{{ k }}{% endfor %} {% for k in t %}{{ k }}{% endfor %}",
                "zam zam",
            ),
            ("{{ t }}", "{'z': 1, 'a': {'y': 2, 'b': [{'x': 3, 'c': 4}]}, 'm': 5}"),
            ("{{ t|tojson }}", r#"{"z": 1, "a": {"y": 2, "b": [{"x": 3, "c": 4}]}, "m": 5}"#),
            (
                "{{ dict(z=1, a=2) }} \
                {% macro m() %}{% endmacro %}{{ {'b': 1, 'a': 2}.keys()|list }}",
                "{'z': 1, 'a': 2} ['b', 'a']",
            ),
        ] {
            assert_eq!(render(&environment, "t", template, &values).unwrap(), wanted);
        }
    }

    #[test]
    fn other_templates_are_found_beside_and_in_the_project_and_nowhere_else() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join("project").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("part.j2", "of the project");
        write("site/part.j2", "beside");
        write("site/deep.j2", "{% include 'other/x.j2' %}");
        write("other/x.j2", "x of {{ name }}");
        write("../secret", "secret");
        std::fs::create_dir(root.path().join("project/directory")).unwrap();
        let project = root.path().join("project");
        let environment = environment(&Roots::of(project));
        let render = |name: &str, template: &str| {
            render(&environment, name, template, &serde_json::json!({"name": "web"}))
        };
        assert_eq!(render("site/index.j2", "{% include 'part.j2' %}").unwrap(), "beside");
        assert_eq!(render("index.j2", "{% include 'part.j2' %}").unwrap(), "of the project");
        assert_eq!(render("site/index.j2", "{% include 'deep.j2' %}").unwrap(), "x of web");
        for (name, why) in [
            ("../secret", "by its path in the project"),
            ("/etc/hostname", "by its path in the project"),
            ("site/../../secret", "by its path in the project"),
            ("directory", "not a regular file"),
            ("none.j2", "none.j2"),
        ] {
            let error = render("site/index.j2", &format!("{{% include '{name}' %}}")).unwrap_err();
            assert!(error.contains(why) && !error.contains("secret\""), "{name}: {error}");
        }
        write("site/wrong.j2", "one\n{{ none_such }}\n");
        let error = render("site/index.j2", "a\nb\n{% include 'wrong.j2' %}").unwrap_err();
        assert!(
            error.starts_with("template site/wrong.j2:2: ") && error.contains("none_such"),
            "{error}"
        );
        assert!(
            render("site/index.j2", "a\n{{ none_such }}")
                .unwrap_err()
                .starts_with("template site/index.j2:2: ")
        );
        // a change to an included file is seen
        write("site/part.j2", "another");
        assert_eq!(render("site/index.j2", "{% include 'part.j2' %}").unwrap(), "another");
        assert!(render("loop.j2", "{% include 'loop.j2' %}").is_err());
    }

    #[test]
    fn a_template_of_a_crate_sees_that_crate_alone() {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("project/key", "of the project"),
            ("project/@web/key", "of the project"),
            ("web/templates/part.j2", "beside"),
            ("web/head.j2", "{{ name }}"),
            ("db/templates/x.j2", "of another crate"),
        ] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let crates = ["web", "db"].map(|name| (name.to_owned(), root.path().join(name)));
        let roots = Roots::of(root.path().join("project")).and(crates);
        let environment = environment(&roots);
        let from = |parent: &str, template: &str| {
            render(&environment, parent, template, &serde_json::json!({"name": "web"}))
        };
        let own = |template: &str| from("@web/templates/index.j2", template);
        assert_eq!(own("{% include 'part.j2' %}").unwrap(), "beside");
        assert_eq!(own("{% include 'head.j2' %}").unwrap(), "web");
        assert_eq!(own("{% include '@web/head.j2' %}").unwrap(), "web");
        assert_eq!(from("index.j2", "{% include '@web/head.j2' %}").unwrap(), "web");
        for other in ["key", "../key", "@db/templates/x.j2", "templates/@db/templates/x.j2", "/key"]
        {
            for form in ["{% include 'X' %}", "{% extends 'X' %}", "{% import 'X' as x %}{{ x }}"] {
                let rendered = own(&form.replace('X', other));
                assert!(rendered.is_err(), "{other}: {rendered:?}");
            }
            let ignored = own(&format!("{{% include '{other}' ignore missing %}}"));
            assert!(ignored.is_err() || ignored == Ok(String::new()), "{other}: {ignored:?}");
        }
    }

    #[test]
    fn text_does_not_grow_without_end() {
        let environment = environment(&Roots::of("/none".into()));
        for template in [
            "{{ 'x'|center(100000000000) }}",
            "{{ 'x'|indent(100000000000, true) }}",
            "{{ 'x'.zfill(100000000000) }}",
            "{{ 'x'.ljust(100000000000) }}",
            "{{ '\\t'.expandtabs(100000000000) }}",
            "{{ 'x'|comment(prefix_count=100000000000) }}",
            "{{ '%1000000000000d' % 1 }}",
            "{{ '%*d' % (1000000000000, 1) }}",
            "{{ '{:>1000000000000}'.format(1) }}",
            "{{ '{:>{}}'.format(1, 1000000000000) }}",
            "{{ 'x' * 100000000000 }}",
        ] {
            assert!(render(&environment, "t", template, &Value::Null).is_err(), "{template}");
        }
    }

    #[test]
    fn a_comment_is_what_ansible_makes_of_it() {
        let environment = environment(&Roots::of("/none".into()));
        for (template, wanted) in [
            ("{{ 'a b'|comment }}", "#\n# a b\n#"),
            ("{{ 'a\n\nb'|comment('c') }}", "//\n// a\n//\n// b\n//"),
            ("{{ 'a'|comment('cblock') }}", "/*\n *\n * a\n *\n */"),
            ("{{ 'a'|comment('xml') }}", "<!--\n -\n - a\n -\n-->"),
            ("{{ 'a'|comment(decoration='! ') }}", "!\n! a\n!"),
            ("{{ 'a'|comment('plain', prefix='', postfix='') }}", "# a\n"),
        ] {
            assert_eq!(
                render(&environment, "t", template, &Value::Null).unwrap(),
                wanted,
                "{template}"
            );
        }
    }

    #[test]
    fn fault_21_templates_are_rendered_as_jinja2_renders_them() {
        let answers: Vec<(String, Option<String>)> =
            serde_json::from_str(include_str!("jinja2/answers.json")).unwrap();
        assert!(answers.len() >= 300);
        let values = serde_json::from_str(include_str!("jinja2/values.json")).unwrap();
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/templates/jinja2/files");
        let environment = environment(&Roots::of(files));
        let mut wrong = Vec::new();
        for (snippet, wanted) in &answers {
            let found = render(&environment, "snippet.j2", snippet, &values);
            if found.as_ref().ok() != wanted.as_ref() {
                wrong.push(format!("{snippet}\n  wanted {wanted:?}\n  found  {found:?}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} of {} differ:\n{}",
            wrong.len(),
            answers.len(),
            wrong.join("\n")
        );
    }
}
