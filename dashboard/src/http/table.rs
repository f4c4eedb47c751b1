use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
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

impl Format {
    /// As a query has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

/// A query that says no more than how to write a table.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FormatQuery {
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
            (headers, format!("{BYTE_ORDER_MARK}{}", csv(rows))).into_response()
        }
    }
}

// Without it Excel takes UTF-8 for the system's own characters.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Says that a table goes on at `next`, an address; as CSV its file's name says so as well.
pub(crate) fn goes_on(mut response: Response, name: &str, next: Option<String>) -> Response {
    let Some(next) = next else { return response };
    let headers = response.headers_mut();
    if let Ok(link) = HeaderValue::try_from(format!("<{next}>; rel=\"next\"")) {
        headers.insert(header::LINK, link);
    }
    if let (Some(disposition), Ok(named)) = (
        headers.get_mut(header::CONTENT_DISPOSITION),
        HeaderValue::try_from(format!("attachment; filename=\"{name}-first-part.csv\"")),
    ) {
        *disposition = named;
    }
    response
}

/// A text as a part of the address at which a table goes on.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// One value of a report, for a table of what is none by itself.
#[derive(Serialize)]
pub(crate) struct Figure {
    figure: String,
    value: Value,
}

/// Every value of a report by its path: `state.up`, `nodes.0.l2.errors`.
pub(crate) fn figures(report: &impl Serialize) -> Vec<Figure> {
    let mut figures = Vec::new();
    list(String::new(), serde_json::to_value(report).unwrap_or_default(), &mut figures);
    figures
}

fn list(path: String, value: Value, figures: &mut Vec<Figure>) {
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => {
            fields.into_iter().for_each(|(name, value)| list(below(&name), value, figures));
        }
        Value::Array(items) => {
            let numbered = items.into_iter().enumerate();
            numbered.for_each(|(i, value)| list(below(&i.to_string()), value, figures));
        }
        value => figures.push(Figure { figure: path, value }),
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
    let mut out = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(",");
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

/// How a formula may begin; in some languages also in full width.
const FORMULAS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What a spreadsheet may leave out before a formula: blanks, and what nobody sees.
fn is_skipped(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}')
}

/// A text as a cell. A spreadsheet takes what begins like a formula for one, and keys are typed by
/// anybody, so such a text begins with an apostrophe.
fn quoted(text: &str) -> String {
    let is_formula =
        text.starts_with(FORMULAS) || text.trim_start_matches(is_skipped).starts_with(FORMULAS);
    quoted_plain(&if is_formula { format!("'{text}") } else { text.to_owned() })
}

fn quoted_plain(text: &str) -> String {
    // Where the comma is for decimals, cells end at a semicolon.
    // Blanks at the ends of a bare cell are lost in some readers.
    let has_outer_blanks = text.trim() != text;
    if has_outer_blanks || text.contains([',', ';', '"', '\t', '\n', '\r']) {
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
        for text in
            ["＝1", "\n=1", "\t=1", "+1", "-1", "-", " =1", "\0=1", "\u{feff}@x", "\u{200b}\r-1"]
        {
            let cell = quoted(text);
            assert!(cell.trim_start_matches('"').starts_with('\''), "{text:?}: {cell}");
        }
        assert_eq!(csv(&[json!({ "=1": 1, "a,b": 2 })]), "'=1,\"a,b\"\r\n1,2\r\n");
        assert_eq!(csv(&[json!({ "a": " x " })]), "a\r\n\" x \"\r\n");
        assert_eq!(csv(&[json!({ "a": "x;=1" })]), "a\r\n\"x;=1\"\r\n");
    }

    #[test]
    fn a_report_is_a_table_of_figures() {
        let report = json!({ "up": true, "nodes": [{ "id": "1" }, { "id": "2" }], "none": null });
        let told = csv(&figures(&report));
        assert_eq!(told, "figure,value\r\nnodes.0.id,1\r\nnodes.1.id,2\r\nnone,\r\nup,true\r\n");
    }

    #[test]
    fn a_table_without_rows_is_an_empty_line() {
        assert_eq!(csv::<Value>(&[]), "\r\n");
    }
}
