//! What the processor can do beyond what every one of its architecture can.

/// Features by which kernels, ours and those of libraries, are chosen at run time, in the words of `/proc/cpuinfo` if it
/// has them.
pub fn vector_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! present {
            ($($feature:tt)*) => {
                [$(($feature, std::arch::is_x86_feature_detected!($feature))),*]
            };
        }
        let all = present!("sse4.2" "avx" "avx2" "fma" "avx512f" "avx512bw" "avx512dq" "avx512vl");
        all.into_iter().filter(|(_, is_present)| *is_present).map(|(feature, _)| feature).collect()
    }
    #[cfg(target_arch = "aarch64")]
    {
        if std::arch::is_aarch64_feature_detected!("neon") { vec!["neon"] } else { Vec::new() }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    Vec::new()
}
