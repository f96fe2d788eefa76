//! What is logged on the host, and the end of an agent at a call's wish.

use std::time::Duration;

use rmote_tools::{
    CallErrorKind, Event, Events, Exec, Exit, Level, LinkErrorKind, Local, LogOptions, Logger,
    Options, Quit, Reconnect, Session, Value,
};

const TOOL: &str = "
import asyncio
import logging
import threading

from rmote.protocol import Tool, process

log = logging.getLogger('own')


class Own(Tool):
    @staticmethod
    def mixed(n):
        for i in range(n):
            print('printed %d' % i)
            log.warning('logged %d', i)

    @staticmethod
    def flood(n):
        for i in range(n):
            log.warning('%s', 'x' * 1000)
        return 'done'

    @staticmethod
    def threads(n):
        def work(k):
            for i in range(n):
                log.warning('%d', k)
        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]

    @staticmethod
    async def slow(name):
        log.warning('%s begins', name)
        await asyncio.sleep(0.001)
        log.warning('%s ends', name)

    @staticmethod
    def quiet():
        class Loud:
            def __str__(self):
                raise AssertionError('it is formatted')
        log.info('%s', Loud())
        log.setLevel(1)
        log.info('%s', Loud())

    @staticmethod
    def run():
        process('sh', '-c', 'cat; exit 3', stdin='secret')

    @staticmethod
    def sleep():
        import time
        time.sleep(1000)
";

async fn within<T>(future: impl Future<Output = T>) -> T {
    let guard = Duration::from_secs(60);
    tokio::time::timeout(guard, future)
        .await
        .expect("the test hangs")
}

/// What is there already.
fn all(events: &mut Events) -> Vec<Event> {
    std::iter::from_fn(|| events.try_next()).collect()
}

/// The records that are there already: number of the call, level, logger, text.
fn records(events: &mut Events) -> Vec<(u32, i64, String, String)> {
    all(events)
        .into_iter()
        .filter_map(|event| match event {
            Event::Log {
                call,
                level,
                logger,
                message,
                ..
            } => Some((call, level, logger, message)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn what_is_printed_and_logged_comes_in_order_before_the_result() {
    within(async {
        let host = Session::connect(Local::new()).await.unwrap();
        let mut events = host.events();
        let own = host.load(TOOL).unwrap();
        own.call::<()>("Own.mixed", (100,)).await.unwrap();
        let mut said = String::new();
        for event in all(&mut events) {
            match event {
                Event::Output { data, call, .. } => {
                    assert_ne!(call, 0);
                    said += &String::from_utf8_lossy(&data);
                }
                Event::Log { message, call, .. } => {
                    assert_ne!(call, 0);
                    said += &message;
                    said.push('\n');
                }
                event => panic!("{event:?}"),
            }
        }
        let pair = |i| [format!("printed {i}\n"), format!("logged {i}\n")];
        let expected = (0..100).flat_map(pair).collect::<String>();
        assert_eq!(said, expected);
        host.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn records_of_threads_and_coroutines_are_their_calls() {
    within(async {
        let host = Session::connect(Local::new()).await.unwrap();
        let mut events = host.events();
        let own = host.load(TOOL).unwrap();
        own.call::<()>("Own.threads", (20,)).await.unwrap();
        let threads = records(&mut events);
        assert_eq!(threads.len(), 80);
        assert!(threads.iter().all(|record| record.0 == threads[0].0));
        let (a, b) = tokio::join!(
            own.call::<()>("Own.slow", ("a",)),
            own.call::<()>("Own.slow", ("b",))
        );
        a.unwrap();
        b.unwrap();
        let slow = records(&mut events);
        let of = |name: &str| -> Vec<(u32, String)> {
            let own = slow.iter().filter(|record| record.3.starts_with(name));
            own.map(|record| (record.0, record.3.clone())).collect()
        };
        let (a, b) = (of("a "), of("b "));
        assert_eq!((a.len(), b.len()), (2, 2), "{slow:?}");
        assert!(a[0].0 == a[1].0 && b[0].0 == b[1].0 && a[0].0 != b[0].0);
        host.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_flood_is_bounded_and_what_is_dropped_is_counted() {
    const RECORDS: u64 = 20_000;
    within(async {
        let options = Options::new().events(1 << 16);
        let host = Session::connect_with(Local::new(), options).await.unwrap();
        let mut events = host.events();
        let own = host.load(TOOL).unwrap();
        let done: String = own.call("Own.flood", (RECORDS,)).await.unwrap();
        assert_eq!(done, "done");
        let (mut came, mut dropped) = (0, 0);
        for event in all(&mut events) {
            match event {
                Event::Log { .. } => came += 1,
                Event::Dropped(count) => dropped += count,
                event => panic!("{event:?}"),
            }
        }
        assert_eq!(came + dropped, RECORDS, "{dropped} dropped");
        host.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_level_is_the_hosts_to_keep() {
    within(async {
        let options = Options::new().log_level(30);
        let host = Session::connect_with(Local::new(), options).await.unwrap();
        let mut events = host.events();
        let (logger, own) = (Logger::new(&host), host.load(TOOL).unwrap());
        own.call::<()>("Own.quiet", ()).await.unwrap();
        logger
            .log(Level::Info, "not sent: %s", ["x"])
            .await
            .unwrap();
        assert_eq!(records(&mut events), []);
        assert_eq!(logger.set_level(Level::Info).await.unwrap(), 30);
        logger
            .log_with(
                Level::Info,
                "%s of %d",
                [Value::from("one"), Value::from(2)],
                LogOptions::new().name("mine"),
            )
            .await
            .unwrap();
        logger
            .log(Level::Debug, "not sent: %s", ["x"])
            .await
            .unwrap();
        let sent = records(&mut events);
        assert_eq!(
            (sent.len(), sent[0].1, &*sent[0].2, &*sent[0].3),
            (1, 20, "mine", "one of 2")
        );
        assert_eq!(logger.set_log_level(Level::Number(35)).await.unwrap(), 20);
        logger
            .log(Level::Warning, "not sent: %s", ["x"])
            .await
            .unwrap();
        logger.log(Level::Error, "sent: %s", ["x"]).await.unwrap();
        assert_eq!(records(&mut events).len(), 1);
        for (level, fits) in [("info", true), ("25", true), ("loud", false)] {
            let tool = host.module(
                rmote_tools::TOOLS
                    .iter()
                    .find(|tool| tool.name == "Logger")
                    .unwrap()
                    .module,
            );
            let result = tool.call::<i64>("Logger.set_level", (level,)).await;
            assert_eq!(result.is_ok(), fits, "{level}: {result:?}");
        }
        host.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn commands_are_traced_without_what_they_read() {
    within(async {
        let host = Session::connect(Local::new()).await.unwrap();
        let mut events = host.events();
        let own = host.load(TOOL).unwrap();
        own.call::<()>("Own.run", ()).await.unwrap();
        assert_eq!(records(&mut events), []);
        Logger::new(&host).set_level(Level::Debug).await.unwrap();
        own.call::<()>("Own.run", ()).await.unwrap();
        Exec::new(&host).command(["true"]).await.unwrap();
        let traces: Vec<_> = records(&mut events)
            .into_iter()
            .filter(|record| record.2 == "rmote.process")
            .collect();
        let text: Vec<_> = traces.iter().map(|record| &*record.3).collect();
        assert_eq!(text.len(), 4, "{text:?}");
        assert!(
            text[0].ends_with(" started: sh -c 'cat; exit 3'"),
            "{text:?}"
        );
        assert!(
            text[1].contains(" ended: exit code 3, after 0."),
            "{text:?}"
        );
        assert!(text[2].ends_with(" started: true"), "{text:?}");
        assert!(!text.concat().contains("secret"));
        assert!(traces.iter().all(|record| record.1 == 10 && record.0 != 0));
        host.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn quit_answers_and_ends_the_agent_with_its_code() {
    within(async {
        let options = Options::new().reconnect(Reconnect::attempts(3));
        let host = Session::connect_with(Local::new(), options).await.unwrap();
        let own = host.load(TOOL).unwrap();
        let sleeping = tokio::spawn(async move { own.call::<()>("Own.sleep", ()).await });
        // It is there before: the agent serves in order.
        host.call::<u32>("os.getpid", ()).await.unwrap();
        Quit::new(&host).exit(7).await.unwrap();
        let errors = [
            sleeping.await.unwrap().unwrap_err(),
            host.call::<u32>("os.getpid", ()).await.unwrap_err(),
        ];
        for error in errors {
            let CallErrorKind::Link { error, .. } = &error.kind else {
                panic!("{error}")
            };
            assert!(
                matches!(
                    error.kind,
                    LinkErrorKind::Quit {
                        exit: Exit::Code(7)
                    }
                ),
                "{error}"
            );
        }
        host.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn quit_refuses_what_is_no_exit_code_and_ends_what_calls_started() {
    within(async {
        let host = Session::connect(Local::new()).await.unwrap();
        let quit = host.module(rmote_tools::TOOLS.iter().find(|tool| tool.name == "Quit").unwrap().module);
        let error = quit.call::<()>("Quit.exit", (256,)).await.unwrap_err();
        assert!(error.raised().unwrap().is("ValueError"), "{error}");
        let pid: u32 = host
            .function("def start():\n    import subprocess\n    return subprocess.Popen(['sleep', '1000']).pid\n")
            .unwrap()
            .call(())
            .await
            .unwrap();
        assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
        quit.call::<()>("Quit.exit", ()).await.unwrap();
        host.close().await.unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        assert!(stat.is_err() || stat.unwrap().contains(" Z "), "it is left");
    })
    .await;
}
