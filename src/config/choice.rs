//! Enums whose variants have names in config files.

/// An enum of plain variants, each with its name in config files and model files: written once, read by
/// [`Values`](crate::config::Values) and serde.
macro_rules! choice {
    ($(#[$about:meta])* $visibility:vis enum $name:ident { $($(#[$meaning:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        $visibility enum $name {
            $($(#[$meaning])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Names in config files, in the order of the variants.
            pub const NAMES: &[&str] = &[$($text),+];

            /// Name in config files.
            pub const fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            /// The variant of this name.
            pub fn of_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl $crate::config::FromValue for $name {
            fn from_value(value: &toml::Value) -> Option<Self> {
                value.as_str().and_then(Self::of_name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use choice;
