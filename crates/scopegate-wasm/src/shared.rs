//! One value for all exports.
//!
//! WebAssembly without threads runs one call at a time, and an export never calls another.

use core::cell::RefCell;

pub(crate) struct Shared<T>(RefCell<T>);

// SAFETY: the module is built without the threads proposal, so there is only one thread to share
// with. Natively this crate exists for its tests alone, which use an `Engine` of their own and
// never touch this value from two threads.
#[expect(
    unsafe_code,
    reason = "a static must be `Sync`, and on this target there is nobody to race with"
)]
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    pub(crate) fn with<R>(&self, call: impl FnOnce(&mut T) -> R) -> R {
        call(&mut self.0.borrow_mut())
    }
}
