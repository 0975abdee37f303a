//! Asks the host what no SDK would: each question is answered by a status, and all statuses together are one line.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_value(map: u32, key: *const u8, len: usize, to: *mut *mut u8, len_to: *mut usize) -> u32;
    fn proxy_get_header_map_pairs(map: u32, to: *mut *mut u8, len_to: *mut usize) -> u32;
    fn proxy_add_header_map_value(map: u32, key: *const u8, len: usize, value: *const u8, value_len: usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, len: usize) -> u32;
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, len: usize, to: *mut *mut u8, len_to: *mut usize) -> u32;
    fn proxy_set_buffer_bytes(buffer: u32, start: usize, len: usize, from: *const u8, from_len: usize) -> u32;
    fn proxy_get_property(path: *const u8, len: usize, to: *mut *mut u8, len_to: *mut usize) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_shared_data(key: *const u8, len: usize, to: *mut *mut u8, len_to: *mut usize, cas: *mut u32) -> u32;
    fn proxy_dequeue_shared_queue(token: u32, to: *mut *mut u8, len_to: *mut usize) -> u32;
    fn proxy_resolve_shared_queue(id: *const u8, id_len: usize, name: *const u8, len: usize, to: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_get_metric(id: u32, to: *mut u64) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, len: usize, to: *mut u32) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_done() -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        len: usize,
        from: *const u8,
        from_len: usize,
        to: *mut *mut u8,
        len_to: *mut usize,
    ) -> u32;
    fn proxy_log(level: u32, from: *const u8, len: usize) -> u32;
    fn proxy_get_status(code: *mut u32, to: *mut *mut u8, len_to: *mut usize) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_fdstat_get(fd: u32, to: *mut u64) -> u32;
    fn fd_fdstat_set_flags(fd: u32, flags: u32) -> u32;
    fn fd_prestat_get(fd: u32, to: *mut u32) -> u32;
    fn fd_prestat_dir_name(fd: u32, to: *mut u8, len: usize) -> u32;
    fn fd_seek(fd: u32, offset: i64, whence: u32, to: *mut u64) -> u32;
    fn fd_close(fd: u32) -> u32;
    fn fd_read(fd: u32, pieces: *const u32, count: usize, to: *mut usize) -> u32;
    fn clock_time_get(clock: u32, precision: u64, to: *mut u64) -> u32;
    fn sched_yield() -> u32;
    fn poll_oneoff(from: *const u8, to: *mut u8, count: usize, happened: *mut usize) -> u32;
}

/// Far outside of the memory.
const NOWHERE: *const u8 = 0xfff0_0000 as *const u8;

#[derive(Default)]
pub(crate) struct Probe {
    told: String,
}

impl Probe {
    fn ask(&mut self, phase: &str) {
        let (mut to, mut len, mut number, mut long) = (std::ptr::null_mut::<u8>(), 0_usize, 0_u32, 0_u64);
        let (to, len) = (&raw mut to, &raw mut len);
        let mut told = vec![];
        // SAFETY: the host writes where it is told, which is on this stack, or refuses.
        unsafe {
            for map in 0..9 {
                // Request trailers are not asked for: Envoy keeps no account of them after a request.
                told.push(proxy_get_header_map_value(map, "x-none".as_ptr(), 6, to, len));
                told.push(proxy_get_header_map_pairs(map, to, len));
                told.push(proxy_add_header_map_value(map, "x-probe".as_ptr(), 7, "1".as_ptr(), 1));
                told.push(proxy_remove_header_map_value(map, "x-probe".as_ptr(), 7));
            }
            for buffer in 0..10 {
                told.push(proxy_get_buffer_bytes(buffer, 0, 10, to, len));
            }
            told.push(proxy_get_buffer_bytes(6, u32::MAX as usize, 2, to, len));
            told.push(proxy_set_buffer_bytes(6, 0, 0, "a".as_ptr(), 1));
            told.push(proxy_set_buffer_bytes(4, 0, 0, "a".as_ptr(), 1));
            for path in [
                "plugin_name",
                "no_such",
                "request\0no_such",
                "request\0path",
                "request\0path\0",
                "request\0headers\0host",
                "node\0no_such",
            ] {
                told.push(proxy_get_property(path.as_ptr(), path.len(), to, len));
            }
            told.push(proxy_set_effective_context(9999));
            told.push(proxy_get_shared_data("no such key".as_ptr(), 11, to, len, &raw mut number));
            told.push(proxy_dequeue_shared_queue(9999, to, len));
            told.push(proxy_resolve_shared_queue("".as_ptr(), 0, "no such".as_ptr(), 7, &raw mut number));
            told.push(proxy_increment_metric(9999 << 2, 1));
            told.push(proxy_get_metric(9999 << 2, &raw mut long));
            told.push(proxy_define_metric(3, "a".as_ptr(), 1, &raw mut number));
            told.push(proxy_define_metric(0, "probe_counter".as_ptr(), 13, &raw mut number));
            told.push(proxy_increment_metric(number, 0));
            told.push(proxy_increment_metric(number, -1));
            told.push(proxy_record_metric(number, 1));
            told.push(proxy_define_metric(2, "probe_histogram".as_ptr(), 15, &raw mut number));
            told.push(proxy_increment_metric(number, 1));
            told.push(proxy_get_metric(number, &raw mut long));
            told.push(proxy_done());
            told.push(proxy_call_foreign_function("no such".as_ptr(), 7, "".as_ptr(), 0, to, len));
            told.push(proxy_log(6, "a".as_ptr(), 1));
            told.push(proxy_log(0, NOWHERE, 0x10_0000));
            told.push(proxy_get_header_map_value(0, NOWHERE, 0x10_0000, to, len));
            told.push(proxy_get_property(NOWHERE, 0x10_0000, to, len));
            told.push(proxy_get_property("plugin_name".as_ptr(), 11, NOWHERE as *mut *mut u8, len));
            told.push(proxy_get_status(&raw mut number, to, len));
        }
        let told: Vec<String> = told.into_iter().map(|status| status.to_string()).collect();
        self.told += &format!("{phase} {}\n", told.join(" "));
    }
}

impl Probe {
    fn ask_wasi(&mut self) {
        let (mut words, mut number, mut size) = ([0_u64; 8], 0_u32, 0_usize);
        // A clock subscription of no time at all.
        let (clock, mut event) = ([0_u8; 48], [0_u8; 32]);
        // SAFETY: as above.
        let told = unsafe {
            [
                fd_fdstat_get(0, words.as_mut_ptr()),
                fd_fdstat_get(1, words.as_mut_ptr()),
                fd_fdstat_get(3, words.as_mut_ptr()),
                fd_fdstat_set_flags(1, 4),
                fd_prestat_get(3, &raw mut number),
                fd_prestat_dir_name(3, event.as_mut_ptr(), 4),
                fd_seek(1, 0, 0, words.as_mut_ptr()),
                fd_close(1),
                fd_read(0, &raw const number, 0, &raw mut size),
                clock_time_get(0, 1, words.as_mut_ptr()),
                clock_time_get(1, 1, words.as_mut_ptr()),
                clock_time_get(2, 1, words.as_mut_ptr()),
                sched_yield(),
                poll_oneoff(clock.as_ptr(), event.as_mut_ptr(), 1, &raw mut size),
                size as u32,
            ]
        };
        self.told += &format!("wasi {told:?}\n");
    }
}

impl Context for Probe {}

impl HttpContext for Probe {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.ask("request-headers");
        self.ask_wasi();
        Action::Continue
    }

    fn on_http_request_body(&mut self, _: usize, end: bool) -> Action {
        if end {
            self.ask("request-body")
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.ask("response-headers");
        self.set_http_response_header("content-length", None);
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if !end {
            return Action::Pause;
        }
        self.ask("response-body");
        self.set_http_response_body(0, size.max(1), self.told.as_bytes());
        Action::Continue
    }
}
