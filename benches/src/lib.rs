//! Benches of rmote: `cargo bench -p rmote-benches`.
