//! How a section of the settings is written down: each field once, with its meaning, its type and its default.

/// What the settings file says of a setting.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Its meaning and its unit.
    pub(super) about: &'static str,
    /// A value in TOML, for one that has no default.
    pub(super) example: Option<&'static str>,
}

/// A section as the settings file shows it.
pub(super) trait Section {
    const ABOUT: &'static str;
    const FIELDS: &'static [Field];
}

/// Declares a section. `field: Type = default` is a setting; `=> "value"` after a default of `None` is its example.
macro_rules! section {
    (
        $(#[doc = $doc:literal])+
        $name:ident {
            $(
                $(#[doc = $about:literal])+
                $(#[serde($($serde:tt)*)])?
                $field:ident: $type:ty = $default:expr $(=> $example:literal)?,
            )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $about])+ $(#[serde($($serde)*)])? pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::config::section::Section for $name {
            const ABOUT: &'static str = concat!($($doc),+);
            const FIELDS: &'static [$crate::config::section::Field] = &[
                $($crate::config::section::Field {
                    name: stringify!($field),
                    about: concat!($($about),+),
                    example: [$(Some($example),)? None][0],
                },)*
            ];
        }

        impl std::fmt::Debug for $name {
            /// Writes the values as they may be shown: secrets and passwords of addresses are struck out.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::config::hidden::debug(self, f)
            }
        }
    };
}
pub(super) use section;

pub(super) mod times {
    use std::time::Duration;

    pub(in crate::config) const SECOND: Duration = Duration::from_secs(1);
    pub(in crate::config) const MINUTE: Duration = Duration::from_secs(60);
    pub(in crate::config) const HOUR: Duration = Duration::from_secs(3600);
    pub(in crate::config) const DAY: Duration = Duration::from_secs(24 * 3600);
}
