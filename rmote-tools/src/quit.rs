//! The end of an agent.

crate::tool! {
    /// Ends the agent of a session, in order.
    ///
    /// The call is answered first. Calls that are still in flight end with
    /// [`LinkErrorKind::Quit`](crate::LinkErrorKind::Quit), and so do those that come later; the session is not made anew, and
    /// to close it is no error. What the agent's calls have started ends with it.
    ///
    /// [`Session::close`](crate::Session::close) does the same from this side, without an exit code.
    ///
    /// # Errors
    ///
    /// `ValueError`: the code is not between 0 and 255.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Local, Quit, Session};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// Quit::new(&host).exit(0).await?;
    /// host.close().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Quit.exit
    /// ```
    pub struct Quit = &crate::python::QUIT;

    /// Ends the agent with an exit code from 0 to 255; in Python and on the command line it defaults to 0.
    fn exit(code: u8) -> ();
}
