//! Asking for memory ahead of its use.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks for the cache lines of `values`. It changes nothing but the time that reading them takes: rows of a large table
/// that are far apart would each be waited for, one after the other.
#[inline(always)]
pub(super) fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of_val(values)).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address is inside the slice, and a prefetch reads nothing.
        #[allow(unsafe_code, reason = "there is no safe function for it")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().cast::<i8>().add(line))
        };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
