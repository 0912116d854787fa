//! Text tables.

use unicode_width::UnicodeWidthStr;

/// A table: column titles and rows, with columns as wide as necessary.
pub(crate) fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut lines = vec![titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.width())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<_> = (0..titles.len()).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let cells: Vec<_> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{:1$}", "", width.saturating_sub(cell.width())))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = super::table(&["A", "BEE"], [vec!["longer".to_owned(), "x".to_owned()]]);
        assert_eq!(text, "A       BEE\nlonger  x\n");
    }

    #[test]
    fn aligns_wide_and_combining_characters() {
        let row = |name: &str| vec![name.to_owned(), "x".to_owned()];
        let text = super::table(&["NAME", "B"], ["日本語", "e\u{301}t\u{e9}", "plain"].map(row));
        let lines = ["NAME    B", "日本語  x", "e\u{301}t\u{e9}     x", "plain   x", ""];
        assert_eq!(text, lines.join("\n"));
    }
}
