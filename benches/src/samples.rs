//! Numbers of one measure over several runs.

use serde::Serialize;

/// The middle of the numbers, with the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) n: usize,
}

impl Summary {
    /// `None` for no numbers.
    pub(crate) fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self {
            median,
            min,
            max,
            n: sorted.len(),
        })
    }
}

/// The median; 0 for no numbers.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    Summary::of(numbers).map_or(0.0, |summary| summary.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_even_count_is_between_the_middle_two() {
        let summary = Summary::of(&[4.0, 1.0, 2.0, 10.0]);
        let expected = Summary {
            median: 3.0,
            min: 1.0,
            max: 10.0,
            n: 4,
        };
        assert_eq!(summary, Some(expected));
        assert_eq!(Summary::of(&[3.0, 1.0, 2.0]).map(|s| s.median), Some(2.0));
        assert_eq!(Summary::of(&[]), None);
    }
}
