//! A stable sort of indices: which of some things comes first, which next.
//!
//! The sort of the standard library would be eight kilobytes of the WebAssembly module for each
//! kind of thing. This one is told how to compare, exists once, and keeps the order of equal
//! things.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

/// How the things with two numbers compare.
type Compare<'a> = &'a dyn Fn(usize, usize) -> Ordering;

/// The indices below `len`, in the order of the things that have them.
pub(crate) fn sorted(len: usize, compare: Compare<'_>) -> Vec<usize> {
    sorted_range(0..len, compare)
}

/// The same for things that have a number each: eight bits in each round, from the lowest on. No
/// two are compared, which is a tenth of the instructions.
pub(crate) fn numbered(numbers: &[u32]) -> Vec<usize> {
    let all = numbers.iter().fold(0, |all, number| all | number);
    let mut sorted: Vec<usize> = (0..numbers.len()).collect();
    for shift in [0, 8, 16, 24] {
        if all >> shift != 0 {
            sorted = by_digit(&sorted, numbers, shift);
        }
    }
    sorted
}

/// By the eight bits from `shift` on, keeping the order of what is the same there.
fn by_digit(order: &[usize], numbers: &[u32], shift: u32) -> Vec<usize> {
    let digit = |index: usize| numbers.get(index).map_or(0, |number| (number >> shift) as u8);
    // First how often each digit occurs, then where the next thing with that digit goes.
    let mut ends = [0_usize; 256];
    for index in order {
        if let Some(count) = ends.get_mut(usize::from(digit(*index))) {
            *count = count.saturating_add(1);
        }
    }
    let mut start = 0_usize;
    for end in &mut ends {
        let count = core::mem::replace(end, start);
        start = start.saturating_add(count);
    }
    let mut sorted = alloc::vec![0; order.len()];
    for index in order {
        let Some(end) = ends.get_mut(usize::from(digit(*index))) else { continue };
        if let Some(slot) = sorted.get_mut(*end) {
            *slot = *index;
        }
        *end = end.saturating_add(1);
    }
    sorted
}

fn sorted_range(numbers: Range<usize>, compare: Compare<'_>) -> Vec<usize> {
    const MAX_INSERTED: usize = 16;
    if numbers.len() <= MAX_INSERTED {
        return inserted(numbers, compare);
    }
    let middle = numbers.start.midpoint(numbers.end);
    let one = sorted_range(numbers.start..middle, compare);
    merged(&one, &sorted_range(middle..numbers.end, compare), compare)
}

fn inserted(numbers: Range<usize>, compare: Compare<'_>) -> Vec<usize> {
    let mut sorted = Vec::with_capacity(numbers.len());
    for number in numbers {
        // People and programs write most of a list in order.
        if sorted.last().is_none_or(|last| compare(*last, number).is_le()) {
            sorted.push(number);
            continue;
        }
        let index = sorted.partition_point(|other| compare(*other, number).is_le());
        sorted.insert(index, number);
    }
    sorted
}

fn merged(mut one: &[usize], mut other: &[usize], compare: Compare<'_>) -> Vec<usize> {
    let mut merged = Vec::with_capacity(one.len().saturating_add(other.len()));
    let is_in_order = one.last().zip(other.first());
    if is_in_order.is_some_and(|(last, first)| compare(*last, *first).is_le()) {
        merged.extend_from_slice(one);
        one = &[];
    }
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
            for shift in [0, 8, 13, 22] {
                let numbers: Vec<u32> =
                    things.iter().map(|thing| (*thing as u32) << shift).collect();
                assert_eq!(numbered(&numbers), expected);
            }
        }
    }
}
