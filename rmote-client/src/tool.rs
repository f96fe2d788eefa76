//! A module of the user's on the host, and what it defines.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rmote_wire::{Value, ValueError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arguments::Arguments;
use crate::error::CallError;
use crate::module::Source;
use crate::running::Running;
use crate::session::Session;
use crate::stream::Streaming;

/// A Python module that goes to the host with the first call into it.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_client::{Local, Session};
///
/// let host = Session::connect(Local::new()).await?;
/// let tool = host.load("class Greeter:\n    @staticmethod\n    def greet(name):\n        return 'hello ' + name\n")?;
/// let greeting: String = tool.call("Greeter.greet", ("world",)).await?;
/// assert_eq!(greeting, "hello world");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Tool {
    session: Session,
    module: Arc<str>,
    sources: Arc<OnceLock<Arc<[Arc<Source>]>>>,
}

impl Tool {
    pub(crate) fn new(session: Session, module: String) -> Self {
        Self {
            session,
            module: module.into(),
            sources: Arc::default(),
        }
    }

    /// The module's name on the host.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The session that it belongs to.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Calls what the module defines: `Tool.method`, or `function`. See [`Session::call`].
    ///
    /// # Errors
    ///
    /// As for [`Session::call`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the agent to stop the call; its answer is thrown away.
    pub async fn call<T: DeserializeOwned>(
        &self,
        name: &str,
        args: impl Serialize,
    ) -> Result<T, CallError> {
        let function = self.function(name);
        let arguments = self.session.arguments(&function, &args)?;
        self.session.run(function, self.sources(), arguments).await
    }

    /// Calls with arguments by name, or with a deadline. See [`Session::call_with`].
    ///
    /// # Errors
    ///
    /// As for [`Session::call_with`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the agent to stop the call; its answer is thrown away.
    pub async fn call_with<T: DeserializeOwned>(
        &self,
        name: &str,
        arguments: Arguments,
    ) -> Result<T, CallError> {
        self.session
            .run(self.function(name), self.sources(), arguments)
            .await
    }

    /// Calls what gives a stream of results. See [`Session::stream`].
    ///
    /// # Errors
    ///
    /// As for [`Session::stream`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future or the stream tells the agent to stop the call.
    pub async fn stream<T>(
        &self,
        name: &str,
        args: impl Serialize,
    ) -> Result<Streaming<T>, CallError> {
        let function = self.function(name);
        let arguments = self.session.arguments(&function, &args)?;
        self.session
            .run_stream(function, self.sources(), arguments)
            .await
    }

    /// Calls what gives a stream of results, with arguments by name, streams or a deadline. See
    /// [`Session::stream_with`].
    ///
    /// # Errors
    ///
    /// As for [`Session::stream_with`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future or the stream tells the agent to stop the call.
    pub async fn stream_with<T>(
        &self,
        name: &str,
        arguments: Arguments,
    ) -> Result<Streaming<T>, CallError> {
        self.session
            .run_stream(self.function(name), self.sources(), arguments)
            .await
    }

    /// Starts a call and gives it as a value. See [`Session::start_with`].
    ///
    /// # Errors
    ///
    /// As for [`Session::start_with`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future or the call tells the agent to stop it.
    pub async fn start_with<T: DeserializeOwned>(
        &self,
        name: &str,
        arguments: Arguments,
    ) -> Result<Running<T>, CallError> {
        let function = self.function(name);
        let call = self
            .session
            .begin(&function, self.sources(), arguments, None);
        Ok(Running::new(call.await?))
    }

    /// Calls with arguments that may have failed to become values, for stubs.
    #[doc(hidden)]
    pub async fn call_prepared<T: DeserializeOwned>(
        &self,
        name: &str,
        arguments: Result<Arguments, ValueError>,
    ) -> Result<T, CallError> {
        let function = self.function(name);
        let arguments =
            arguments.map_err(|error| self.session.arguments_error(&function, error))?;
        self.session.run(function, self.sources(), arguments).await
    }

    /// Calls and gives the value as it came: bytes in it are not copied.
    ///
    /// # Errors
    ///
    /// As for [`Session::call_with`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the agent to stop the call; its answer is thrown away.
    pub async fn call_value(&self, name: &str, arguments: Arguments) -> Result<Value, CallError> {
        self.session
            .run_value(&self.function(name), self.sources(), arguments)
            .await
    }

    fn function(&self, name: &str) -> Arc<str> {
        format!("{}:{name}", self.module).into()
    }

    /// What goes to the host with the first call. Looked up late, so that a tool may be loaded before what it imports.
    fn sources(&self) -> &Arc<[Arc<Source>]> {
        self.sources
            .get_or_init(|| self.session.sources(&self.module))
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool")
            .field("module", &self.module)
            .field("target", &self.session.target())
            .finish_non_exhaustive()
    }
}

/// A function that was given as source text.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_client::{Local, Session};
///
/// let host = Session::connect(Local::new()).await?;
/// let add = host.function("def add(a, b):\n    return a + b\n")?;
/// let sum: i64 = add.call((1, 2)).await?;
/// assert_eq!(sum, 3);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Function {
    tool: Tool,
    name: String,
}

impl Function {
    pub(crate) fn new(tool: Tool, name: String) -> Self {
        Self { tool, name }
    }

    /// Calls it. See [`Session::call`].
    ///
    /// # Errors
    ///
    /// As for [`Session::call`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the agent to stop the call; its answer is thrown away.
    pub async fn call<T: DeserializeOwned>(&self, args: impl Serialize) -> Result<T, CallError> {
        self.tool.call(&self.name, args).await
    }

    /// Calls it with arguments by name, or with a deadline. See [`Session::call_with`].
    ///
    /// # Errors
    ///
    /// As for [`Session::call_with`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the agent to stop the call; its answer is thrown away.
    pub async fn call_with<T: DeserializeOwned>(
        &self,
        arguments: Arguments,
    ) -> Result<T, CallError> {
        self.tool.call_with(&self.name, arguments).await
    }
}
