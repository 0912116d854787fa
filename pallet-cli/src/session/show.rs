//! Shows the value of an input: rows as a table, an outcome in a few lines, anything else in
//! Starlark's notation.

use serde_json::{Map, Value as Json, json};
use starlark::values::Value;
use starlark::values::list::ListRef;

use super::outcome::{EXPLANATION, OUTCOME, RESULT};
use crate::output::{Printer, table};
use crate::project::star::plain_data::to_json;
use crate::project::star::table::TableValue;

/// Shows the value of an input, unless `told` says that it has already been shown.
pub(super) fn show(printer: &Printer, value: Value<'_>, told: bool) {
    let one = TableValue::of(value);
    let items = ListRef::from_value(value)
        .into_iter()
        .flat_map(|list| list.iter())
        .filter_map(TableValue::of);
    let is_told = |table: &TableValue| [OUTCOME, RESULT, EXPLANATION].contains(&table.name());
    if value.is_none() || (told && one.into_iter().chain(items).any(is_told)) {
        return;
    }
    if printer.json() {
        let value = to_json(value).unwrap_or_else(|_| Json::String(value.to_repr()));
        return printer.value(&json!({"event": "value", "value": value}));
    }
    let rows: Option<Vec<&Map<String, Json>>> =
        ListRef::from_value(value).filter(|list| !list.is_empty()).and_then(|list| {
            list.iter().map(|item| TableValue::of(item).map(TableValue::values)).collect()
        });
    match (one, rows) {
        (Some(table), _) => printer.text(&one_table(table.values())),
        (None, Some(rows)) => printer.text(&rows_table(&rows)),
        _ => printer.line(&value.to_repr()),
    }
}

/// A table of rows. Columns without any plain value are omitted.
fn rows_table(rows: &[&Map<String, Json>]) -> String {
    let keys: Vec<&String> = rows.first().map(|row| row.keys().collect()).unwrap_or_default();
    let cells = |key: &str| {
        rows.iter().map(|row| row.get(key).map(cell).unwrap_or_default()).collect::<Vec<_>>()
    };
    let columns: Vec<(String, Vec<String>)> =
        keys.into_iter().map(|key| (key.replace('_', " ").to_uppercase(), cells(key))).collect();
    let plain = |cells: &[String]| cells.iter().any(|cell| !cell.is_empty());
    let columns: Vec<_> = columns.into_iter().filter(|(_, cells)| plain(cells)).collect();
    let titles: Vec<&str> = columns.iter().map(|(title, _)| title.as_str()).collect();
    table(
        &titles,
        (0..rows.len()).map(|row| columns.iter().map(|(_, cells)| cells[row].clone()).collect()),
    )
}

/// A single table: a line for each key, with rows below it.
pub(super) fn one_table(values: &Map<String, Json>) -> String {
    let mut out = String::new();
    for (key, value) in values {
        match value {
            Json::Array(items) if !items.is_empty() && items.iter().all(Json::is_object) => {
                let rows: Vec<&Map<String, Json>> =
                    items.iter().filter_map(Json::as_object).collect();
                out.push_str(&format!("{key}:\n"));
                rows_table(&rows).lines().for_each(|line| out.push_str(&format!("  {line}\n")));
            }
            Json::Bool(false) => out.push_str(&format!("{key}: no")),
            // omits empty values
            value if cell(value).is_empty() => continue,
            value => out.push_str(&format!("{key}: {}", cell(value))),
        }
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// A value in one line.
fn cell(value: &Json) -> String {
    match value {
        Json::Null | Json::Bool(false) => String::new(),
        Json::Bool(true) => "yes".to_owned(),
        // a table cell cannot show several lines
        Json::String(text) if text.contains('\n') => String::new(),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Json::Object(object) => object
            .iter()
            .map(|(key, value)| format!("{key} {}", cell(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::{Map, Value, json};

    use super::{one_table, rows_table};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn rows_and_tables_read_as_such() {
        let rows = [
            object(json!({"name": "web-1", "failed": false, "login_user": null})),
            object(json!({"name": "b", "failed": true})),
        ];
        expect![[r#"
            NAME   FAILED
            web-1
            b      yes
        "#]]
        .assert_eq(&rows_table(&rows.iter().collect::<Vec<_>>()));
        expect![[r#"
            ok: yes
            nodes:
              NAME
              a
            created: x, y
        "#]]
        .assert_eq(&one_table(&object(
            json!({"ok": true, "nodes": [{"name": "a"}], "created": ["x", "y"]}),
        )));
    }
}
