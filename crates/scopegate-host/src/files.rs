//! The limit of open files of a process, which includes connections.
//!
//! Systems start a process with a soft limit of 1,024, because some old programs cannot handle
//! more, and with a much higher hard limit. A server with thousands of connections raises the soft
//! limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files to the hard limit, and returns it; `None` without a limit. Where
/// the system refuses, the limit stays.
pub fn raise_limit() -> Option<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // A refusal shows in the limit that is read back.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_most_there_is() {
        let hard_limit = getrlimit(Resource::Nofile).maximum;
        assert_eq!(raise_limit(), hard_limit);
        assert_eq!(getrlimit(Resource::Nofile).current, hard_limit);
    }
}
