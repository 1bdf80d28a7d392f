//! What a derived `Debug` prints.

use derivative::Derivative;

#[derive(Derivative)]
#[derivative(Debug)]
struct Options {
    shown: u8,
    #[derivative(Debug = "ignore")]
    key: Secret,
    #[cfg(any())]
    absent: Secret,
    /// A field with other attributes.
    r#type: Option<&'static str>,
    #[derivative(Debug = "ignore")]
    hook: fn() -> u8,
}

/// It has no `Debug`.
struct Secret(&'static str);

#[derive(Derivative)]
#[derivative(Debug)]
struct Hidden {
    #[derivative(Debug = "ignore")]
    key: Secret,
}

/// The same without the ignored fields, by the derive of the standard library.
mod standard {
    #[derive(Debug)]
    #[expect(dead_code, reason = "it is printed")]
    pub(crate) struct Options {
        pub(crate) shown: u8,
        pub(crate) r#type: Option<&'static str>,
    }
}

#[test]
fn ignored_fields_are_not_printed() {
    let options = Options { shown: 1, key: Secret("hush"), r#type: Some("a"), hook: || 2 };
    let standard = standard::Options { shown: 1, r#type: Some("a") };
    assert_eq!(format!("{options:?}"), "Options { shown: 1, type: Some(\"a\") }");
    assert_eq!(format!("{options:?}"), format!("{standard:?}"));
    assert_eq!(format!("{options:#?}"), format!("{standard:#?}"));
    assert_eq!((options.key.0, (options.hook)()), ("hush", 2));
    let hidden = Hidden { key: Secret("hush") };
    assert_eq!((format!("{hidden:?}").as_str(), hidden.key.0), ("Hidden", "hush"));
}
