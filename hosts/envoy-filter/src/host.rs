//! What Envoy does for the filter: the functions of its side of the boundary, as far as they are
//! used.
//!
//! Follows <https://github.com/proxy-wasm/spec>, 0.2.1. The library for it ends the module where
//! the host refuses, copies each header twice, and keeps a context for each request; here a call
//! that the host refuses gives nothing, and its caller lets nothing through. All `unsafe` of the
//! filter is in this module and in the attributes of what it exports.

#![expect(unsafe_code, reason = "functions of the host, which read and write this module's memory")]

use std::ptr::{null, null_mut, slice_from_raw_parts_mut};
use std::time::Duration;

use crate::serialized_map;

/// What every function gives where it has done what it was asked.
const OK: u32 = 0;

/// The maps that the host keeps for a request.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Map {
    RequestHeaders = 0,
    CallResponseHeaders = 6,
}

/// What the host keeps for it that is a run of bytes.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Buffer {
    CallResponseBody = 4,
    Configuration = 7,
}

/// How much a line of Envoy's log matters.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Level {
    Info = 2,
    Warn = 3,
    Error = 4,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    safe fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_log(level: Level, text: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_header_map_pairs(map: Map, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: Map,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: Map,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: Map, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: Buffer,
        start: usize,
        most: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        question: *const u8,
        question_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        call: *mut u32,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

/// Memory for what the host is about to write. It is this module's again with the text that it
/// gets.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

/// What the host has written where it was asked to.
fn written(ask: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Box<[u8]>> {
    let (mut data, mut size) = (null_mut(), 0);
    if ask(&raw mut data, &raw mut size) != OK || data.is_null() {
        return None;
    }
    // SAFETY: the host gets its memory from `malloc`, of exactly this size, fills it, and leaves it
    // to us.
    Some(unsafe { Box::from_raw(slice_from_raw_parts_mut(data, size)) })
}

/// All headers of a request, to be read as a [`SerializedMap`](serialized_map::SerializedMap), in
/// one call: each costs half a microsecond or more, because the host comes back for memory.
pub(crate) fn request_headers() -> Option<Box<[u8]>> {
    // SAFETY: both places are there for as long as the call takes.
    written(|data, size| unsafe { proxy_get_header_map_pairs(Map::RequestHeaders, data, size) })
}

/// One header.
pub(crate) fn header(map: Map, name: &str) -> Option<Box<[u8]>> {
    // SAFETY: the name and both places are there for as long as the call takes.
    written(|data, size| unsafe {
        proxy_get_header_map_value(map, name.as_ptr(), name.len(), data, size)
    })
}

/// Replaces the value of a request's header; nothing where that cannot be.
pub(crate) fn set_header(name: &str, value: &str) -> Option<()> {
    // SAFETY: name and value are there for as long as the call takes.
    let status = unsafe {
        proxy_replace_header_map_value(
            Map::RequestHeaders,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
    (status == OK).then_some(())
}

/// Takes a request's header away, every line of it; nothing where that cannot be.
pub(crate) fn remove_header(name: &[u8]) -> Option<()> {
    // SAFETY: the name is there for as long as the call takes.
    let status =
        unsafe { proxy_remove_header_map_value(Map::RequestHeaders, name.as_ptr(), name.len()) };
    (status == OK).then_some(())
}

/// The bytes of a buffer, at most `most`.
pub(crate) fn buffer(buffer: Buffer, most: usize) -> Option<Box<[u8]>> {
    // SAFETY: both places are there for as long as the call takes.
    written(|data, size| unsafe { proxy_get_buffer_bytes(buffer, 0, most, data, size) })
}

/// What Envoy calls a property of the stream, by the names on the way to it.
pub(crate) fn property(path: &[&str]) -> Option<Box<[u8]>> {
    let path = path.join("\0");
    // SAFETY: the path and both places are there for as long as the call takes.
    written(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// What a function of Envoy's own answers.
pub(crate) fn foreign(name: &str, question: &[u8]) -> Option<Box<[u8]>> {
    // SAFETY: name, question and both places are there for as long as the call takes.
    written(|data, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            question.as_ptr(),
            question.len(),
            data,
            size,
        )
    })
}

/// Sends a request to a cluster, and gives what its answer will be called by.
pub(crate) fn call(cluster: &str, headers: &[(&str, &str)], timeout: Duration) -> Option<u32> {
    let (headers, mut call) = (serialized_map::write(headers), 0);
    let timeout = u32::try_from(timeout.as_millis()).ok()?;
    // SAFETY: cluster, headers and the place of the answer are there for as long as the call takes;
    // nothing is read of what is empty.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            null(),
            0,
            null(),
            0,
            timeout,
            &raw mut call,
        )
    };
    (status == OK).then_some(call)
}

/// Answers the request in the registry's place; nothing where that cannot be.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Option<()> {
    const NO_GRPC: i32 = -1;
    let headers = serialized_map::write(headers);
    // SAFETY: body and headers are there for as long as the call takes; nothing is read of details,
    // which are empty.
    let status = unsafe {
        proxy_send_local_response(
            u32::from(status),
            null(),
            0,
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC,
        )
    };
    (status == OK).then_some(())
}

/// Seconds since 1970. A host that does not know gives none, and no token is good then.
pub(crate) fn now() -> u64 {
    let mut nanoseconds = 0;
    // SAFETY: the place of the time is there for as long as the call takes.
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
    if status == OK { nanoseconds / 1_000_000_000 } else { 0 }
}

/// Has [`proxy_on_tick`](crate::filter) called so often; nothing where that cannot be.
pub(crate) fn tick_every(period: Duration) -> Option<()> {
    let period = u32::try_from(period.as_millis()).ok()?;
    (proxy_set_tick_period_milliseconds(period) == OK).then_some(())
}

/// A line of Envoy's log. Who cannot log goes on.
pub(crate) fn log(level: Level, line: &str) {
    // SAFETY: the line is there for as long as the call takes.
    unsafe { proxy_log(level, line.as_ptr(), line.len()) };
}
