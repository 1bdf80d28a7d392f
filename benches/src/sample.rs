//! Interleaved measurements: each case runs in every round, so that other load on the machine
//! affects all of them.
//!
//! A sample is the mean time of one call in a batch that is long enough to be timed. Comparisons
//! are always within one run: the ratio of two medians, with an interval from resampling the
//! rounds. Only the resampling is random, and its seed is fixed.
//!
//! Left out: removing outliers. A table has the smallest sample beside the median and the 99th
//! percentile.

use std::time::{Duration, Instant};

/// Something to measure.
pub struct Case<'c> {
    /// Its name in the table.
    pub name: String,
    /// Runs it a number of times.
    pub run: Box<dyn FnMut(u64) + 'c>,
}

impl std::fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// The effort of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How many samples.
    pub rounds: usize,
    /// The minimum duration of a batch.
    pub batch: Duration,
}

impl Effort {
    /// The effort of published figures.
    pub const FULL: Self = Self { rounds: 61, batch: Duration::from_millis(10) };
    /// The effort of a quick look.
    pub const QUICK: Self = Self { rounds: 31, batch: Duration::from_millis(2) };
}

/// The times of one call, in nanoseconds, one for each round.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples(pub Vec<f64>);

/// An estimate with the interval in which it lies in 95 of 100 resamplings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The measured values.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Measures each case in every round.
#[must_use]
pub fn measure(cases: &mut [Case<'_>], effort: Effort) -> Vec<Samples> {
    let batches: Vec<u64> = cases.iter_mut().map(|case| calibrate(case, effort.batch)).collect();
    let mut samples = vec![Samples(Vec::with_capacity(effort.rounds)); cases.len()];
    for _ in 0..effort.rounds {
        for ((case, batch), samples) in cases.iter_mut().zip(&batches).zip(&mut samples) {
            samples.0.push(time(case, *batch).as_secs_f64() * 1e9 / *batch as f64);
        }
    }
    samples
}

/// The number of calls that take this long. Caches stay warm.
fn calibrate(case: &mut Case<'_>, long: Duration) -> u64 {
    let mut batch = 1;
    loop {
        let took = time(case, batch);
        if took >= long {
            return batch;
        }
        let factor = long.as_secs_f64() / took.as_secs_f64().max(1e-9) * 1.1;
        batch = ((batch as f64 * factor.min(100.0)) as u64).max(batch + 1);
    }
}

fn time(case: &mut Case<'_>, batch: u64) -> Duration {
    let begun = Instant::now();
    (case.run)(batch);
    begun.elapsed()
}

impl Samples {
    /// The smallest: the time without other load on the machine.
    #[must_use]
    pub fn smallest(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The median, and its interval.
    #[must_use]
    pub fn median(&self) -> Estimate {
        estimate(self.0.len(), |rounds| percentile(rounds.iter().map(|round| self.0[*round]), 50))
    }

    /// A percentile.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        percentile(self.0.iter().copied(), percent)
    }

    /// The width of the middle half of the samples, as a fraction of the median. Above a tenth the
    /// machine is noisy.
    #[must_use]
    pub fn spread(&self) -> f64 {
        (self.percentile(75) - self.percentile(25)) / self.percentile(50)
    }

    /// The ratio of the medians of this and another case in the same run, with its interval.
    #[must_use]
    pub fn over(&self, other: &Self) -> Estimate {
        estimate(self.0.len().min(other.0.len()), |rounds| {
            let median = |samples: &Self| percentile(rounds.iter().map(|n| samples.0[*n]), 50);
            median(self) / median(other)
        })
    }
}

/// A figure of all rounds, with its interval from resampling them.
fn estimate(rounds: usize, figure: impl Fn(&[usize]) -> f64) -> Estimate {
    const RESAMPLINGS: usize = 1000;
    let mut random = 0x5c0e_9a7e_u64;
    let mut resampled: Vec<f64> = (0..RESAMPLINGS)
        .map(|_| {
            let draw = |_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 33) as usize % rounds
            };
            figure(&(0..rounds).map(draw).collect::<Vec<_>>())
        })
        .collect();
    resampled.sort_by(f64::total_cmp);
    let all: Vec<usize> = (0..rounds).collect();
    Estimate {
        value: figure(&all),
        low: resampled[RESAMPLINGS * 25 / 1000],
        high: resampled[RESAMPLINGS * 975 / 1000],
    }
}

fn percentile(samples: impl Iterator<Item = f64>, percent: usize) -> f64 {
    let mut sorted: Vec<f64> = samples.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) * percent / 100]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        let (one, twice) = (Samples((1..=101).map(f64::from).collect()), Samples(vec![102.0; 101]));
        let median = one.median();
        assert!(median.value == 51.0 && median.low < 51.0 && median.high > 51.0, "{median:?}");
        assert_eq!((one.smallest(), one.percentile(99), twice.spread()), (1.0, 100.0, 0.0));
        assert_eq!(twice.over(&one).value, 2.0);
        assert_eq!(twice.median(), Estimate { value: 102.0, low: 102.0, high: 102.0 });
    }

    #[test]
    fn each_case_is_measured_in_each_round() {
        let (mut one, mut other) = (0, 0);
        let mut cases = [
            Case { name: "one".into(), run: Box::new(|times| one += times) },
            Case { name: "other".into(), run: Box::new(|times| other += times) },
        ];
        let effort = Effort { rounds: 3, batch: Duration::from_nanos(1) };
        let samples = measure(&mut cases, effort);
        assert!(samples.iter().all(|samples| samples.0.len() == 3));
        drop(cases);
        assert!(one >= 3 && other >= 3);
    }
}
