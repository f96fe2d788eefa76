//! Bulk across a link that is slow enough for compression.

use crate::contender::{Contender, Who};
use crate::data::Content;
use crate::experiment::Experiment;
use crate::job::Case;
use crate::plan::{EXECNET, FLOOR, MITOGEN, MITOGEN_NOZIP, OURS, Plan, RMOTE, RMOTE_RAW};
use crate::row::{Better, Goal};
use crate::way::{COMPRESSED, Way};

/// A connection that compresses.
const COMPRESSED_FLOOR: Contender = Contender::new(Who::Floor, COMPRESSED);

impl Plan {
    /// Across a link with a rate: never slower than ssh, which compresses what shrinks.
    pub(crate) fn slow_link(&mut self) {
        let peers = [RMOTE, RMOTE_RAW, MITOGEN, MITOGEN_NOZIP, EXECNET];
        for (case, content, floor, title, goal) in [
            (
                Case::Bulk,
                Content::Random,
                FLOOR,
                "bulk read of 16 MiB of random bytes across the link",
                0.9,
            ),
            (
                Case::Bulk,
                Content::Text,
                COMPRESSED_FLOOR,
                "the same of text, floor ssh -C",
                1.0,
            ),
            (
                Case::Upload,
                Content::Text,
                COMPRESSED_FLOOR,
                "the same to the host",
                1.0,
            ),
        ] {
            let mut contenders = vec![floor, OURS];
            if case == Case::Bulk {
                contenders.extend(peers);
            }
            let mut experiment = Experiment::new(case, Way::SharedLink, &contenders, 1);
            experiment.file = Some((content, 16 << 20));
            experiment.fewer = 2;
            let goal = Some(Goal::TimesFloor(goal));
            let row = (title, "mib_per_s", "MiB/s", Better::Higher, goal);
            self.add(experiment, &[row]);
        }
    }
}
