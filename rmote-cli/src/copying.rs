//! What `cp` and `sync` share: one copy between here and a host, with its progress and its end.

use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use rmote_tools::{
    Action, CallError, CopyError, CopyProgress, FileSystem, HostPath, Session, Summary, Target,
    Transfer, escape,
};

use crate::cli::{Copying, Host};
use crate::exit::Exit;
use crate::place::Place;
use crate::printer;
use crate::run::{chain, connect, finish};

/// A copy between here and a host.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) target: Target,
    pub(crate) upload: bool,
}

impl Way {
    /// The one side that is a host; with none a process on this machine takes its part.
    pub(crate) fn between(from: &Place, to: &Place) -> Result<Self, String> {
        match (from, to) {
            (Place::Host(from, _), Place::Host(to, _)) => Err(format!(
                "cannot copy from {from} to {to} in one go; copy to a path here first, then from there"
            )),
            (Place::Host(target, _), Place::Here(_)) => Ok(Self {
                target: target.clone(),
                upload: false,
            }),
            (Place::Here(_), Place::Host(target, _)) => Ok(Self {
                target: target.clone(),
                upload: true,
            }),
            (Place::Here(_), Place::Here(_)) => Ok(Self {
                target: "local"
                    .parse()
                    .map_err(|error| format!("target: {error}"))?,
                upload: true,
            }),
        }
    }

    /// Does work in a session with the host.
    pub(crate) async fn with_session(
        &self,
        host: &Host,
        work: impl AsyncFnOnce(&Session) -> Exit,
    ) -> Exit {
        match connect(&self.target, host).await {
            Ok(session) => {
                let work = work(&session);
                finish(session.clone(), work)
                    .await
                    .unwrap_or_else(|exit| exit)
            }
            Err(error) => {
                printer::error(&chain(&error));
                Exit::Link
            }
        }
    }

    /// The copy from one place to the other.
    pub(crate) fn transfer(&self, session: &Session, from: &Place, to: &Place) -> Transfer {
        let files = FileSystem::new(session);
        if self.upload {
            files.copy_to(here(from), on_host(to))
        } else {
            files.copy_from(on_host(from), here(to))
        }
    }
}

fn here(place: &Place) -> &Path {
    match place {
        Place::Here(path) => path,
        Place::Host(_, path) => path.as_path(),
    }
}

fn on_host(place: &Place) -> HostPath {
    // Where no side is a host, the process on this machine has the same paths.
    here(place).into()
}

/// Makes a copy and shows what becomes of it.
pub(crate) async fn run(transfer: Transfer, copying: &Copying, what: &Place) -> Exit {
    let bar = bar();
    let mut transfer = transfer
        .dry_run(copying.dry_run)
        .whole_files(copying.whole_file)
        .modes(!copying.no_modes)
        .times(!copying.no_times)
        .owners(copying.owners)
        .sync(!copying.no_fsync)
        .progress(follow(bar.clone()));
    for pattern in &copying.exclude {
        transfer = transfer.exclude(pattern);
    }
    if copying.verbose || copying.dry_run {
        let bar = bar.clone();
        transfer = transfer.each(move |path, action| {
            let line = line(path, action);
            bar.suspend(|| printer::write(line.as_bytes()))
                .unwrap_or_default();
        });
    }
    let result = transfer.run().await;
    bar.finish_and_clear();
    match result {
        Ok(summary) => {
            tell(&summary, copying);
            Exit::Done
        }
        Err(CopyError::Incomplete(summary)) => {
            for failure in &summary.failures {
                printer::error(&failure.to_string());
            }
            let more = summary.failed - summary.failures.len() as u64;
            if more > 0 {
                printer::error(&format!("{more} more failed"));
            }
            tell(&summary, copying);
            Exit::Raised
        }
        Err(CopyError::Call(error)) => fail(&error, what),
        Err(error) => {
            printer::error(&chain(&error));
            match error {
                CopyError::Exclude(_) => Exit::Usage,
                CopyError::Protocol(..) => Exit::Link,
                _ => Exit::Raised,
            }
        }
    }
}

/// Says why a place could not be reached, or not be used as it should.
pub(crate) fn fail(error: &CallError, what: &Place) -> Exit {
    // What the system says names the path.
    let message = match error.raised() {
        Some(raised) => format!("{}: {}", error.target, escape(&raised.message)),
        None => format!("{}: {}", what.display(), chain(error)),
    };
    printer::error(&message);
    Exit::of(error)
}

/// A bar, which shows itself on a terminal only.
fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    let style = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

fn follow(bar: ProgressBar) -> impl Fn(CopyProgress) + Send + Sync + 'static {
    let bar = Arc::new(bar);
    move |now| {
        bar.set_length(now.total_bytes);
        bar.set_position(now.bytes);
        let more = if now.complete { "" } else { "+" };
        bar.set_message(format!("{}/{}{more} files", now.files, now.total_files));
    }
}

fn line(path: &Path, action: Action) -> String {
    let word = match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Adjust => "adjust",
        Action::Delete => "delete",
        Action::Skip => "skip",
        Action::InPlace => "in place",
        _ => "change",
    };
    let path = path.to_string_lossy();
    let path = if path.is_empty() { "." } else { &path };
    format!("{word:8} {}\n", escape(path))
}

/// Says what a person would not expect, and with `-v` all.
fn tell(summary: &Summary, copying: &Copying) {
    let note = |count: u64, text: &str| {
        if count > 0 {
            printer::say(&format!("note: {count} {text}"));
        }
    };
    note(summary.skipped, "devices, pipes or sockets were skipped");
    note(
        summary.hard_links,
        "names of files with several became files of their own",
    );
    note(
        summary.in_place,
        "files are mounted on their own and were written in place",
    );
    if summary.kept {
        printer::say("note: nothing was deleted, since not all could be copied");
    }
    if copying.verbose || copying.dry_run {
        printer::say(&format!(
            "{} files ({} bytes, {} sent, {} found at the destination), {} directories, {} links, {} adjusted, \
             {} unchanged, {} deleted{}",
            summary.files,
            summary.bytes,
            summary.literal,
            summary.reused,
            summary.directories,
            summary.links,
            summary.adjusted,
            summary.unchanged,
            summary.deleted,
            if copying.dry_run { " (dry run)" } else { "" },
        ));
    }
}
