//! How close one picture is to another.

/// The largest value of a channel of eight bits.
pub const PEAK: f64 = 255.0;

/// Peak signal-to-noise ratio in decibels: 10 log₁₀(peak² / mean squared difference); infinite for equal pictures, NaN
/// for empty ones. Values of the reconstruction outside 0 … `peak` are clipped.
///
/// # Panics
/// If the pictures differ in size.
pub fn psnr(truth: &[f32], reconstruction: &[f32], peak: f64) -> f64 {
    assert_eq!(truth.len(), reconstruction.len(), "pictures of the same size");
    let square = |(&truth, &shown): (&f32, &f32)| (f64::from(truth) - f64::from(shown).clamp(0.0, peak)).powi(2);
    let squares: f64 = truth.iter().zip(reconstruction).map(square).sum();
    10.0 * (peak * peak * truth.len() as f64 / squares).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(psnr(&[1.0, 2.0], &[1.0, 2.0], PEAK), f64::INFINITY);
        // A difference of a tenth of the peak everywhere is 20 dB.
        assert!((psnr(&[25.5, 200.0], &[0.0, 225.5], PEAK) - 20.0).abs() < 1e-5);
        // The whole range wrong is 0 dB, however far beyond it the reconstruction is.
        assert_eq!(psnr(&[0.0, 255.0], &[1e9, -7.0], PEAK), 0.0);
    }
}
