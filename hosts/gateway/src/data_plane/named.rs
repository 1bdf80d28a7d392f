//! Something for each name that is in use: a lock for each repository, and not one that strangers
//! share.
//!
//! Left out: what it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How many there are before unused ones are looked for.
const FEW: usize = 64;

/// One for each name. It is made when it is asked for, and goes when it is not used any more.
#[derive(Debug, Default)]
pub(super) struct Named<T> {
    all: Mutex<HashMap<String, Weak<T>>>,
}

impl<T: Default> Named<T> {
    /// The one of a name.
    pub(super) fn of(&self, name: &str) -> Arc<T> {
        // Nothing in here ends in the middle.
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = all.get(name).and_then(Weak::upgrade) {
            return one;
        }
        // A map that is full is twice as large afterwards, or has room again.
        if all.len() >= FEW && all.len() == all.capacity() {
            all.retain(|_, one| one.strong_count() > 0);
        }
        let one = Arc::default();
        all.insert(name.to_owned(), Arc::downgrade(&one));
        one
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_name_has_one() {
        let named: Named<AtomicUsize> = Named::default();
        let one = named.of("a");
        one.store(1, Ordering::SeqCst);
        assert_eq!(named.of("a").load(Ordering::SeqCst), 1);
        assert_eq!(named.of("b").load(Ordering::SeqCst), 0);
        drop(one);
        assert_eq!(named.of("a").load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_nobody_uses_takes_no_room() {
        let named: Named<AtomicUsize> = Named::default();
        let kept = named.of("kept");
        for number in 0..100_000 {
            drop(named.of(&number.to_string()));
        }
        assert!(named.all.lock().unwrap().capacity() < 1000);
        assert!(Arc::ptr_eq(&kept, &named.of("kept")));
    }
}
