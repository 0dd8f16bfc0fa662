//! How a flag is named: by text, or as declared by [`flags!`](crate::flags).

use std::sync::atomic::{AtomicU64, Ordering};

use crate::snapshot::Snapshot;

/// Something that names a flag: a text, or a [`Declared`] flag, which is faster and brings its default.
pub trait Name: sealed::Sealed {
    /// The text.
    fn text(&self) -> &str;

    /// The answer where the flag is not known or cannot be evaluated.
    fn default(&self) -> bool;

    /// Its number in a snapshot of the [`crate::Flags`] with this identity (0: of none).
    #[doc(hidden)]
    fn number(&self, snapshot: &Snapshot, identity: impl FnOnce() -> u32) -> Option<u32>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for str {}
    impl Sealed for String {}
    impl Sealed for super::Declared {}
    impl<N: Sealed + ?Sized> Sealed for &N {}
}

impl Name for str {
    #[inline]
    fn text(&self) -> &str {
        self
    }

    #[inline]
    fn default(&self) -> bool {
        false
    }

    #[inline]
    fn number(&self, snapshot: &Snapshot, _: impl FnOnce() -> u32) -> Option<u32> {
        snapshot.find(self)
    }
}

impl Name for String {
    fn text(&self) -> &str {
        self
    }

    fn default(&self) -> bool {
        false
    }

    fn number(&self, snapshot: &Snapshot, _: impl FnOnce() -> u32) -> Option<u32> {
        snapshot.find(self)
    }
}

impl<N: Name + ?Sized> Name for &N {
    #[inline]
    fn text(&self) -> &str {
        (**self).text()
    }

    #[inline]
    fn default(&self) -> bool {
        (**self).default()
    }

    #[inline]
    fn number(&self, snapshot: &Snapshot, identity: impl FnOnce() -> u32) -> Option<u32> {
        (**self).number(snapshot, identity)
    }
}

/// A flag as the application's code declares it: made by [`flags!`](crate::flags), as a `static`.
///
/// Its number is looked up once and kept, so that it costs as little as a handle.
#[derive(Debug)]
pub struct Declared {
    name: &'static str,
    default: bool,
    /// Identity of the [`crate::Flags`] that it was found in, and its number there.
    found: AtomicU64,
}

impl Declared {
    /// A flag of this name, with the answer where it is not known.
    #[must_use]
    pub const fn new(name: &'static str, default: bool) -> Self {
        Self { name, default, found: AtomicU64::new(0) }
    }
}

impl Name for Declared {
    #[inline]
    fn text(&self) -> &str {
        self.name
    }

    #[inline]
    fn default(&self) -> bool {
        self.default
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of what is kept")]
    fn number(&self, snapshot: &Snapshot, identity: impl FnOnce() -> u32) -> Option<u32> {
        let identity = identity();
        let found = self.found.load(Ordering::Relaxed);
        if identity != 0 && (found >> 32) as u32 == identity {
            return Some(found as u32);
        }
        let number = snapshot.find(self.name)?;
        if identity != 0 {
            self.found.store(u64::from(identity) << 32 | u64::from(number), Ordering::Relaxed);
        }
        Some(number)
    }
}

/// Declares flags and their compiled defaults: the answer where the flag is not known or cannot be evaluated.
///
/// ```
/// teal_flags::flags! {
///     /// What this service asks for.
///     pub mod flag {
///         /// Video calls.
///         telehealth = false;
///         billing_integration = true;
///     }
/// }
///
/// let flags = teal_flags::Flags::new(None);
/// assert!(!flags.is_enabled("user-7", &flag::telehealth));
/// assert!(flags.is_enabled("user-7", &flag::billing_integration));
/// assert_eq!(flag::ALL.len(), 2);
/// ```
///
/// A name that is no Rust identifier is given as text: `new_editor("new-editor") = false;`
#[macro_export]
macro_rules! flags {
    (
        $(#[$outer:meta])*
        $visibility:vis mod $module:ident {
            $($(#[$inner:meta])* $flag:ident $(($name:literal))? = $default:literal;)*
        }
    ) => {
        $(#[$outer])*
        #[expect(non_upper_case_globals, reason = "flags are called as they are called everywhere")]
        $visibility mod $module {
            $(
                $(#[$inner])*
                pub static $flag: $crate::Declared =
                    $crate::Declared::new($crate::flags!(@name $flag $($name)?), $default);
            )*
            /// All that are declared here.
            pub static ALL: &[&$crate::Declared] = &[$(&$flag),*];
            // Nobody has to ask for all of them.
            const _: fn() -> &'static [&'static $crate::Declared] = || ALL;
        }
    };
    (@name $flag:ident) => { stringify!($flag) };
    (@name $flag:ident $name:literal) => { $name };
}
