//! How many files a process may have open, connections among them.
//!
//! Systems start a process with 1,024 and let it have many more, because some old programs cannot
//! count further. A server that is to hold thousands of connections asks for what it may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the number of files that this process may have open to the most that it may ask for, and
/// tells that number; nothing where there is no end to it. Where the system refuses, it stays.
pub fn raise_limit() -> Option<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // A refusal is told by what is read back.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_most_there_is() {
        let most = getrlimit(Resource::Nofile).maximum;
        assert_eq!(raise_limit(), most);
        assert_eq!(getrlimit(Resource::Nofile).current, most);
    }
}
