//! What an instance keeps behind handles.
//!
//! A handle is an index. The indices of what was dropped are used again.

use alloc::vec::Vec;

use scopegate_api::abi::Failure;

pub(crate) struct Slots<T>(Vec<Option<T>>);

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn keep(&mut self, value: T) -> u32 {
        let free = self.0.iter().position(Option::is_none);
        let index = free.unwrap_or(self.0.len());
        match self.0.get_mut(index) {
            Some(slot) => *slot = Some(value),
            None => self.0.push(Some(value)),
        }
        index as u32
    }

    pub(crate) fn get(&self, handle: u32) -> Result<&T, Failure> {
        self.0.get(handle as usize).and_then(Option::as_ref).ok_or(Failure::NoTable)
    }

    #[cfg(feature = "feeds")]
    pub(crate) fn get_mut(&mut self, handle: u32) -> Result<&mut T, Failure> {
        self.0.get_mut(handle as usize).and_then(Option::as_mut).ok_or(Failure::NoTable)
    }

    pub(crate) fn take(&mut self, handle: u32) -> u64 {
        match self.0.get_mut(handle as usize).and_then(Option::take) {
            Some(_) => 0,
            None => Failure::NoTable.pack(),
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
