//! Values for JavaScript, and positions as it counts them.

use scopegate_api::problem::Problem;
use scopegate_core::Error;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// A value as JavaScript has it: `null` for what is not there, numbers for numbers.
pub(crate) fn to_js<T: Serialize + ?Sized>(value: &T) -> JsValue {
    // What the api serialises are strings, numbers, lists and structs, and none of these can fail.
    value.serialize(&Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}

/// What is wrong with `text`, as a value.
pub(crate) fn problem(error: Error, text: &str) -> JsValue {
    to_js(&Problem { position: utf16(text, error.position()), ..error.into() })
}

/// A setting by its name; the default where none is given. An invalid name is refused, because
/// another setting could allow more.
pub(crate) fn setting<T: Default>(
    name: Option<&str>,
    parse: fn(&str) -> Option<T>,
) -> Result<T, JsValue> {
    let Some(name) = name else { return Ok(T::default()) };
    parse(name).ok_or_else(|| {
        to_js(&Problem {
            code: "setting_unknown",
            message: "no such setting",
            hint: "take one of the names that the types list",
            position: 0,
        })
    })
}

/// The place of a byte of `text`, in UTF-16 units.
pub(crate) fn utf16(text: &str, byte: usize) -> usize {
    let before = text.char_indices().take_while(|(start, _)| *start < byte);
    before.map(|(_, character)| character.len_utf16()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_as_javascript_counts() {
        for (text, byte, expected) in
            [("", 0, 0), ("abc", 2, 2), ("äb", 2, 1), ("😀b", 4, 2), ("😀", 9, 2), ("ab", 9, 2)]
        {
            assert_eq!(utf16(text, byte), expected, "{text}");
        }
    }
}
