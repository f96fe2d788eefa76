//! What a call is given: positional arguments, arguments by name, a deadline.

use std::time::Duration;

use rmote_wire::{Parameter, Value, ValueError, to_value};
use serde::Serialize;

use crate::input::Input;
use crate::output::Output;

/// The arguments of a call beyond its positional ones.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use rmote_client::{Arguments, Local, Session};
///
/// let host = Session::connect(Local::new()).await?;
/// let arguments = Arguments::new(&("ff",))?.keyword("base", &16)?.deadline(Duration::from_secs(5));
/// let number: i64 = host.call_with("builtins.int", arguments).await?;
/// assert_eq!(number, 255);
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Arguments {
    pub(crate) positional: Vec<Value>,
    pub(crate) keywords: Vec<(String, Value)>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) streams: Vec<(Parameter, Port)>,
    pub(crate) idempotent: bool,
}

/// An argument that is a stream.
#[derive(Debug)]
pub(crate) enum Port {
    Input(Input),
    Output(Output),
}

impl Arguments {
    /// Positional arguments: a tuple, a list or an array gives one argument an item, `()` none, anything else one.
    ///
    /// # Errors
    ///
    /// A part of it is no value, with the path to it.
    pub fn new<A: Serialize + ?Sized>(positional: &A) -> Result<Self, ValueError> {
        let positional = match to_value(positional)? {
            Value::Tuple(items) | Value::List(items) => items,
            Value::None => Vec::new(),
            value => vec![value],
        };
        Ok(Self {
            positional,
            ..Self::default()
        })
    }

    /// Adds a positional argument.
    ///
    /// # Errors
    ///
    /// A part of it is no value, with the path to it.
    pub fn positional<A: Serialize + ?Sized>(mut self, value: &A) -> Result<Self, ValueError> {
        self.positional.push(to_value(value)?);
        Ok(self)
    }

    /// Adds an argument by name.
    ///
    /// # Errors
    ///
    /// A part of it is no value, with the path to it.
    pub fn keyword<A: Serialize + ?Sized>(
        mut self,
        name: impl Into<String>,
        value: &A,
    ) -> Result<Self, ValueError> {
        self.keywords.push((name.into(), to_value(value)?));
        Ok(self)
    }

    /// Adds a positional argument that the function reads while it runs.
    pub fn input(self, input: Input) -> Self {
        self.stream(Port::Input(input))
    }

    /// Adds an argument by name that the function reads while it runs.
    pub fn keyword_input(mut self, name: impl Into<String>, input: Input) -> Self {
        let parameter = Parameter::Keyword(name.into());
        self.streams.push((parameter, Port::Input(input)));
        self
    }

    /// Adds a positional argument that the function writes while it runs.
    pub fn output(self, output: Output) -> Self {
        self.stream(Port::Output(output))
    }

    /// Adds an argument by name that the function writes while it runs.
    pub fn keyword_output(mut self, name: impl Into<String>, output: Output) -> Self {
        let parameter = Parameter::Keyword(name.into());
        self.streams.push((parameter, Port::Output(output)));
        self
    }

    /// Says that the call may run twice without harm: it is then repeated when its link was lost and is made anew.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    fn stream(mut self, port: Port) -> Self {
        let parameter = Parameter::Position(self.positional.len());
        self.positional.push(Value::None);
        self.streams.push((parameter, port));
        self
    }

    /// Ends the call after this time: here with an error, and on the host, where the time travels with the call.
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }
}
