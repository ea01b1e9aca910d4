//! Figures in sentences, the same wherever Weir speaks.

use std::fmt::Display;

/// A whole number with its thousands apart: `1,234,567`. `number` must show as digits only.
pub fn thousands(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many things, with their name in the singular or the plural: `1 mail`, `1,402 mails`.
pub fn count(number: impl Display, one: &str, many: &str) -> String {
    let number = thousands(number);
    let name = if number == "1" { one } else { many };
    format!("{number} {name}")
}

/// Names in a row: `a, b and c`; nothing for none.
pub fn list<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 1_402].map(|number| count(number, "mail", "mails")), ["0 mails", "1 mail", "1,402 mails"]);
    }

    #[test]
    fn names_read_as_people_list_them() {
        assert_eq!([&[][..], &["a"], &["a", "b"], &["a", "b", "c"]].map(list), ["", "a", "a and b", "a, b and c"]);
    }
}
