//! The headers of a request, all in one call of the host.
//!
//! Each call costs the host half a microsecond or more, because it comes back for memory. The library has a call for one header, and one for all that
//! copies each of them twice; this takes the text of all as the host wrote it.

use std::ptr::null_mut;

use proxy_wasm::types::{MapType, Status};

#[link(wasm_import_module = "env")]
#[expect(unsafe_code, reason = "the host's function, as the specification of proxy-wasm has it")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: MapType, data: *mut *mut u8, size: *mut usize) -> Status;
}

/// The headers in the form of [`Pairs`](crate::pairs::Pairs); nothing where the host has none.
#[expect(unsafe_code, reason = "memory comes from the host by way of this module's own `malloc`")]
pub(crate) fn of_request() -> Option<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: both places are there for as long as the call takes.
    let status =
        unsafe { proxy_get_header_map_pairs(MapType::HttpRequestHeaders, &mut data, &mut size) };
    if !matches!(status, Status::Ok) || data.is_null() {
        return None;
    }
    // SAFETY: the host writes what it got from `malloc`, which gives a boxed slice of exactly this size and its ownership.
    Some(unsafe { Vec::from_raw_parts(data, size, size) })
}
