//! Line breaks of templates: what Markdown's structure rests on.
//!
//! Jinja either keeps the break behind every block tag, so that `{% if … %}` on a line of its own leaves an empty line inside a
//! list, or removes it behind every one, so that a line that ends in `{% endif %}` is joined with the next. Here a line that
//! holds nothing but block tags vanishes whole, and every other line keeps its break.

/// Marks each tag that ends a line of words with `+`, which keeps the break that `trim_blocks` would remove. Lines stay where they
/// are, so that an error names the line of the file.
pub(crate) fn keep_line_breaks(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        let (words, end) = match line.strip_suffix("\r\n") {
            Some(words) => (words, "\r\n"),
            None => line.strip_suffix('\n').map_or((line, ""), |words| (words, "\n")),
        };
        match words.strip_suffix("%}").filter(|before| !before.ends_with(['-', '+']) && holds_words(words)) {
            Some(before) => {
                kept.push_str(before);
                kept.push_str("+%}");
            }
            None => kept.push_str(words),
        }
        kept.push_str(end);
    }
    kept
}

/// Whether something of the line stays where its block tags are taken out. The end of a tag that began on another line is none.
fn holds_words(line: &str) -> bool {
    let mut rest = line;
    let mut has_words = false;
    while let Some((before, tag)) = rest.split_once("{%") {
        has_words |= !before.trim().is_empty();
        let Some((_, behind)) = tag.split_once("%}") else { return false };
        rest = behind;
    }
    let ends_another = rest.contains("%}");
    !ends_another && (has_words || !rest.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_words_keeps_its_break_and_a_line_of_tags_vanishes() {
        for (source, kept) in [
            ("a{% if b %}c{% endif %}\nd", "a{% if b %}c{% endif +%}\nd"),
            ("{% if b %}\r\nc {{ d }}{% endif %}\r\n", "{% if b %}\r\nc {{ d }}{% endif +%}\r\n"),
            ("  {% if b %}{% include \"c\" %}\n", "  {% if b %}{% include \"c\" %}\n"),
            ("a{% endif -%}\nb{% endif +%}\n", "a{% endif -%}\nb{% endif +%}\n"),
            ("{% if a\n  and b %}\nc\n", "{% if a\n  and b %}\nc\n"),
            ("{{ a }}{% endif %}", "{{ a }}{% endif +%}"),
        ] {
            assert_eq!(keep_line_breaks(source), kept, "{source:?}");
        }
    }
}
