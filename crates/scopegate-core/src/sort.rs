//! Sorting by number: which of some things comes first, which next.
//!
//! The sort of the standard library would be eight kilobytes of the WebAssembly module for each kind of thing. This one is told how to
//! compare, exists once, and keeps the order of equal things.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

/// How the things with two numbers compare.
type Compare<'a> = &'a dyn Fn(usize, usize) -> Ordering;

/// The numbers below `len`, in the order of the things that they stand for.
pub(crate) fn sorted(len: usize, compare: Compare<'_>) -> Vec<usize> {
    sorted_range(0..len, compare)
}

fn sorted_range(numbers: Range<usize>, compare: Compare<'_>) -> Vec<usize> {
    const FEW: usize = 16;
    if numbers.len() <= FEW {
        return inserted(numbers, compare);
    }
    let middle = numbers.start.midpoint(numbers.end);
    let one = sorted_range(numbers.start..middle, compare);
    merged(&one, &sorted_range(middle..numbers.end, compare), compare)
}

fn inserted(numbers: Range<usize>, compare: Compare<'_>) -> Vec<usize> {
    let mut sorted = Vec::with_capacity(numbers.len());
    for number in numbers {
        let place = sorted.partition_point(|other| compare(*other, number).is_le());
        sorted.insert(place, number);
    }
    sorted
}

fn merged(mut one: &[usize], mut other: &[usize], compare: Compare<'_>) -> Vec<usize> {
    let mut merged = Vec::with_capacity(one.len().saturating_add(other.len()));
    while let ([first, after_first @ ..], [second, after_second @ ..]) = (one, other) {
        if compare(*first, *second).is_le() {
            merged.push(*first);
            one = after_first;
        } else {
            merged.push(*second);
            other = after_second;
        }
    }
    merged.extend_from_slice(one);
    merged.extend_from_slice(other);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        for len in [0, 1, 2, 15, 16, 17, 33, 100, 1000] {
            // Every third thing is equal to another one.
            let things: Vec<usize> =
                (0..len).map(|number| number * 7919 % (len * 2 / 3 + 1)).collect();
            let mut expected: Vec<usize> = (0..len).collect();
            expected.sort_by_key(|number| things[*number]);
            assert_eq!(sorted(len, &|one, other| things[one].cmp(&things[other])), expected);
        }
    }
}
