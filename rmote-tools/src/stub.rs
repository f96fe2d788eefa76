//! The macros that declare a tool's typed face.

use rmote_client::{Module, Session, Tool, Value, ValueError};

/// Where a stub's Python source comes from.
pub trait Source {
    /// Makes the source known to a session; nothing is sent before the first call.
    fn open(self, session: &Session) -> Tool;
}

impl Source for &'static Module {
    fn open(self, session: &Session) -> Tool {
        session.module(self)
    }
}

/// A source text with the name that tracebacks show: `("audit", include_str!("audit.py"))`.
impl Source for (&str, &str) {
    fn open(self, session: &Session) -> Tool {
        session
            .load_stub(self.0, self.1)
            .expect("a stub's name is an identifier of its author's choice")
    }
}

/// Arguments by name, each of which may be left out. The macro [`options!`](crate::options) implements it.
pub trait Keywords {
    /// The names that Python knows them by.
    const NAMES: &'static [&'static str];

    /// Their types, in the same order, as Rust writes them.
    const KINDS: &'static [&'static str];

    /// Those that were set.
    ///
    /// # Errors
    ///
    /// One of them is no value.
    fn keywords(&self) -> Result<Vec<(String, Value)>, ValueError>;
}

/// What a stub says of a method's parameters; a test can hold it against the Python source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// The method's name.
    pub method: &'static str,
    /// The first line of its documentation.
    pub doc: &'static str,
    /// The names of its positional parameters.
    pub positional: &'static [&'static str],
    /// The name of its `*parameter`.
    pub variadic: Option<&'static str>,
    /// The names of the parameters that are given by name.
    pub keywords: &'static [&'static str],
    /// The types of all of them, in this order, as Rust writes them.
    pub kinds: [&'static [&'static str]; 3],
}

impl Signature {
    /// Describes a method.
    pub const fn new(
        method: &'static str,
        doc: &'static str,
        positional: &'static [&'static str],
        variadic: Option<&'static str>,
        keywords: &'static [&'static str],
        kinds: [&'static [&'static str]; 3],
    ) -> Self {
        Self {
            method,
            doc,
            positional,
            variadic,
            keywords,
            kinds,
        }
    }

    /// The type of the positional parameter at an index, as Rust writes it.
    pub fn positional_kind(&self, index: usize) -> Option<&'static str> {
        let [positional, variadic, _] = self.kinds;
        positional.get(index).or(variadic.first()).copied()
    }

    /// The type of the parameter of a name, as Rust writes it.
    pub fn kind(&self, name: &str) -> Option<&'static str> {
        let pairs = |names: &'static [&'static str], kinds: &'static [&'static str]| {
            names.iter().copied().zip(kinds.iter().copied())
        };
        let [positional, _, keywords] = self.kinds;
        pairs(self.positional, positional)
            .chain(pairs(self.keywords, keywords))
            .find_map(|(known, kind)| (known == name).then_some(kind))
    }
}

/// Declares the typed face of a tool: a struct with one method for each method of a Python class of the same name.
///
/// The source is a packed module, or a name and a text. A method's parameters are given in Python's order with the type
/// that is sent; the Rust method takes whatever turns `Into` it. `[rest: T]` at the end is Python's `*rest` and takes an iterator. A second name behind the
/// result's type makes a second method that also takes arguments by name, from a struct made by
/// [`options!`](crate::options). `[idempotent]` before a method says that it may run twice without harm: such a call is
/// repeated when its link was lost and is [made anew](rmote_client::Reconnect).
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_tools::{Local, Session, options, tool};
///
/// tool! {
///     /// Counts.
///     pub struct Counter = ("counter", "
/// class Counter:
///     total = 0
///
///     @classmethod
///     def add(cls, *numbers, scale=1):
///         cls.total += sum(numbers) * scale
///         return cls.total
/// ");
///
///     /// Adds numbers and gives the total so far.
///     fn add([numbers: i64]) -> i64, add_with(Scale);
/// }
///
/// options! {
///     /// How to count.
///     pub struct Scale {
///         /// What each number is multiplied by; defaults to 1.
///         scale: i64,
///     }
/// }
///
/// let host = Session::connect(Local::new()).await?;
/// let counter = Counter::new(&host);
/// assert_eq!(counter.add([1, 2]).await?, 3);
/// assert_eq!(counter.add_with([1], Scale::new().scale(10)).await?, 13);
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! tool {
    (
        $(#[doc = $tool_doc:literal])*
        $vis:vis struct $tool:ident = $source:expr;
        $(
            $(#[doc = $doc:literal])*
            $([$flag:ident])?
            fn $method:ident($($arg:ident: $ty:ty),* $(,)? $([$rest:ident: $item:ty])?) -> $result:ty
                $(, $with:ident($options:ty))?;
        )*
    ) => {
        $(#[doc = $tool_doc])*
        #[derive(Clone, Debug)]
        $vis struct $tool {
            tool: $crate::__private::Tool,
            deadline: Option<::std::time::Duration>,
        }

        impl $tool {
            /// The first line of this tool's documentation.
            pub const DOC: &'static str = $crate::__first!($($tool_doc,)* "").trim_ascii();

            /// What this stub says of each method's parameters.
            pub const SIGNATURES: &'static [$crate::Signature] = &[$(
                $crate::Signature::new(
                    stringify!($method),
                    $crate::__first!($($doc,)* "").trim_ascii(),
                    &[$(stringify!($arg)),*],
                    $crate::__first!($(Some(stringify!($rest)),)? None),
                    $crate::__first!($(<$options as $crate::Keywords>::NAMES,)? &[]),
                    [
                        &[$(stringify!($ty)),*],
                        &[$(stringify!($item))?],
                        $crate::__first!($(<$options as $crate::Keywords>::KINDS,)? &[]),
                    ],
                )
            ),*];

            /// Makes the stub. Nothing is sent before its first call.
            pub fn new(session: &$crate::__private::Session) -> Self {
                Self { tool: $crate::Source::open($source, session), deadline: None }
            }

            /// The same tool, with a deadline for each of its calls.
            pub fn deadline(&self, after: ::std::time::Duration) -> Self {
                Self { deadline: Some(after), ..self.clone() }
            }

            $(
                $crate::__method! {
                    [$(#[doc = $doc])*] [$($flag)?] $method $tool.$method ($($arg: $ty),*) [$($rest: $item)?] [] -> $result
                }
                $crate::__method! {
                    [$(#[doc = $doc])*] [$($flag)?] $($with)? $tool.$method ($($arg: $ty),*) [$($rest: $item)?] [$($options)?] -> $result
                }
            )*
        }
    };
}

/// One method of a stub; none where no name is given for it.
#[doc(hidden)]
#[macro_export]
macro_rules! __method {
    ([$($doc:tt)*] $flag:tt $tool:ident.$method:ident $arguments:tt $rest:tt [] -> $result:ty) => {};
    (
        [$($doc:tt)*] [$($flag:ident)?] $name:ident $tool:ident.$method:ident
        ($($arg:ident: $ty:ty),*) [$($rest:ident: $item:ty)?] [$($options:ty)?] -> $result:ty
    ) => {
        $($doc)*
        ///
        /// # Errors
        ///
        /// The function raised, the agent could not make the call, the link was lost and so on.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future tells the agent to stop the call; its answer is thrown away.
        pub async fn $name(
            &self,
            $($arg: impl Into<$ty>,)*
            $($rest: impl IntoIterator<Item = impl Into<$item>>,)?
            $(options: $options,)?
        ) -> Result<$result, $crate::__private::CallError> {
            let name = concat!(stringify!($tool), ".", stringify!($method));
            let call = $crate::__private::call(&self.tool, name, self.deadline);
            $(let call = call.argument(&Into::<$ty>::into($arg));)*
            $(let call = $rest.into_iter().fold(call, |call, item| call.argument(&Into::<$item>::into(item)));)?
            $(let call = call.keywords::<$options>(&options);)?
            $(let call = call.$flag();)?
            call.run().await
        }
    };
}

/// Declares the arguments that a tool's method takes by name, each with a setter. See [`tool!`](crate::tool).
///
/// What is not set is not sent, so Python's own default holds. `field = "name"` gives the Python name where Rust cannot
/// have it.
#[macro_export]
macro_rules! options {
    (
        $(#[$meta:meta])*
        $vis:vis struct $options:ident {
            $($(#[$doc:meta])* $field:ident $(= $name:literal)?: $ty:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        #[must_use = "options do nothing until they are given to a call"]
        $vis struct $options {
            $($field: Option<$ty>,)*
        }

        impl $options {
            /// Nothing set: all defaults.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$doc])*
                pub fn $field(mut self, $field: impl Into<$ty>) -> Self {
                    self.$field = Some($field.into());
                    self
                }
            )*
        }

        impl $crate::Keywords for $options {
            const NAMES: &'static [&'static str] = &[$($crate::__first!($($name,)? stringify!($field))),*];
            const KINDS: &'static [&'static str] = &[$(stringify!($ty)),*];

            fn keywords(&self) -> Result<Vec<(String, $crate::__private::Value)>, $crate::__private::ValueError> {
                let mut keywords = Vec::new();
                $(if let Some(value) = &self.$field {
                    let name = $crate::__first!($($name,)? stringify!($field));
                    keywords.push((name.to_owned(), $crate::__private::to_value(value)?));
                })*
                Ok(keywords)
            }
        }
    };
}

/// The first of its arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __first {
    ($first:expr $(, $rest:expr)* $(,)?) => {
        $first
    };
}

/// What the macros need where they are used.
#[doc(hidden)]
pub mod private {
    use std::time::Duration;

    use rmote_client::Arguments;
    pub use rmote_client::{CallError, Session, Tool, Value, ValueError, to_value};
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::Keywords;

    /// A call that is being put together.
    #[derive(Debug)]
    pub struct Call<'a> {
        tool: &'a Tool,
        name: &'static str,
        arguments: Result<Arguments, ValueError>,
    }

    pub fn call<'a>(tool: &'a Tool, name: &'static str, deadline: Option<Duration>) -> Call<'a> {
        let mut arguments = Arguments::default();
        if let Some(after) = deadline {
            arguments = arguments.deadline(after);
        }
        Call {
            tool,
            name,
            arguments: Ok(arguments),
        }
    }

    impl Call<'_> {
        pub fn argument(mut self, value: &impl Serialize) -> Self {
            self.arguments = self
                .arguments
                .and_then(|arguments| arguments.positional(value));
            self
        }

        pub fn keywords<K: Keywords>(mut self, options: &K) -> Self {
            self.arguments = self.arguments.and_then(|arguments| {
                options
                    .keywords()?
                    .into_iter()
                    .try_fold(arguments, |arguments, (name, value)| {
                        arguments.keyword(name, &value)
                    })
            });
            self
        }

        pub fn idempotent(mut self) -> Self {
            self.arguments = self.arguments.map(Arguments::idempotent);
            self
        }

        pub async fn run<T: DeserializeOwned>(self) -> Result<T, CallError> {
            self.tool.call_prepared(self.name, self.arguments).await
        }
    }
}
