use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How to write a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON, with all that belongs to the table.
    #[default]
    Json,
    /// Its rows alone, as CSV to be saved.
    Csv,
}

/// A query that says no more than how to write a table.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Written {
    #[serde(default)]
    pub(crate) format: Format,
}

/// Answers with the rows as CSV, or with what `json` says.
pub(crate) fn table<T: Serialize, A: IntoResponse>(
    format: Format,
    name: &str,
    rows: &[T],
    json: impl FnOnce() -> A,
) -> Response {
    match format {
        Format::Json => json().into_response(),
        Format::Csv => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
            ];
            (headers, csv(rows)).into_response()
        }
    }
}

/// The rows as RFC 4180 has them: one column a field, those of nested objects with dots.
fn csv<T: Serialize>(rows: &[T]) -> String {
    let mut columns: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for row in rows {
        let mut cells = Vec::new();
        // Numbers, texts and lists always become JSON.
        flatten(String::new(), serde_json::to_value(row).unwrap_or_default(), &mut cells);
        for (column, _) in &cells {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        lines.push(cells);
    }
    let mut out = columns.join(",");
    out.push_str("\r\n");
    for cells in lines {
        let cell = |column| cells.iter().find(|(name, _)| name == column).map_or("", |(_, c)| c);
        out.push_str(&columns.iter().map(cell).collect::<Vec<_>>().join(","));
        out.push_str("\r\n");
    }
    out
}

fn flatten(name: String, value: Value, cells: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() { field } else { format!("{name}.{field}") };
                flatten(name, value, cells);
            }
        }
        Value::Null => cells.push((name, String::new())),
        Value::String(text) => cells.push((name, quoted(&text))),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let texts: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            cells.push((name, quoted(&texts.join(" "))));
        }
        other => cells.push((name, quoted_plain(&other.to_string()))),
    }
}

/// A text as a cell. A spreadsheet takes what begins like a formula for one, and keys are typed by
/// strangers, so such a text begins with an apostrophe.
fn quoted(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    quoted_plain(&if is_formula { format!("'{text}") } else { text.to_owned() })
}

fn quoted_plain(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_become_lines_and_nested_fields_columns() {
        let rows = [json!({ "a": 1, "b": { "c": "x,\"y\"" } }), json!({ "a": null, "d": [1, 2] })];
        assert_eq!(csv(&rows), "a,b.c,d\r\n1,\"x,\"\"y\"\"\",\r\n,,\"[1,2]\"\r\n");
    }

    #[test]
    fn no_cell_is_taken_for_a_formula() {
        let rows = [json!({ "key": "=1+1", "other": "@x", "n": -5 })];
        assert_eq!(csv(&rows), "key,n,other\r\n'=1+1,-5,'@x\r\n");
    }

    #[test]
    fn a_table_without_rows_is_an_empty_line() {
        assert_eq!(csv::<Value>(&[]), "\r\n");
    }
}
