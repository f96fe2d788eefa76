//! The size of what travels before the first call.

use rmote_agent::{MODULES, Mark, python};

/// For loader and core together. mitogen sends 20 KiB, the Python rmote 0.7.5 sends 47.
const BOOTSTRAP: usize = 10 << 10;
/// For the command line, which ssh and docker carry as it is.
const COMMAND: usize = 2 << 10;

#[test]
fn loader_and_core_keep_their_budget() {
    let mark = Mark::new("0123456789abcdef00112233445566ff").expect("32 digits");
    let injection = python(None, &mark);
    let command: usize = injection.argv.iter().map(|word| word.len() + 1).sum();
    println!("command line: {command} bytes");
    println!("loader and core: {} bytes", injection.payload.len());
    for module in MODULES {
        println!("{}: {} bytes, on demand", module.name, module.packed.len());
    }
    assert!(
        injection.payload.len() <= BOOTSTRAP,
        "{} bytes",
        injection.payload.len()
    );
    assert!(command <= COMMAND, "{command} bytes");
}

#[test]
fn the_command_line_holds_nothing_that_a_login_shell_reads_differently() {
    let mark = Mark::new("0123456789abcdef00112233445566ff").expect("32 digits");
    for interpreter in [None, Some("/usr/bin/python3")] {
        let injection = python(interpreter, &mark);
        for word in &injection.argv {
            let odd = word
                .chars()
                .find(|c| matches!(c, '\'' | '\\' | '!') || c.is_control());
            assert_eq!(odd, None, "{word}");
        }
        let echo = injection.argv.join(" ");
        assert!(
            !echo.contains("0123456789abcdef00112233445566ff"),
            "an echo of it would forge the mark"
        );
    }
}
