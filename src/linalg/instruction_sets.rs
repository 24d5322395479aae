//! The same computation on every instruction set at hand, for tests that compare the bits.

use pulp::{Scalar, Scalar512b, Simd, WithSimd};

/// What `operation` gives in software, for vectors of 1 and of 16 numbers, and then on each instruction set that this
/// processor has.
pub fn on_every_instruction_set<O: WithSimd + Copy>(operation: O) -> Vec<O::Output> {
    let mut outputs = vec![Scalar.vectorize(operation), Scalar512b.vectorize(operation)];
    #[cfg(target_arch = "x86_64")]
    {
        use pulp::x86::{V3, V4};
        outputs.extend(V3::try_new().map(|simd| Simd::vectorize(simd, operation)));
        outputs.extend(V4::try_new().map(|simd| Simd::vectorize(simd, operation)));
    }
    #[cfg(target_arch = "aarch64")]
    outputs.extend(pulp::aarch64::Neon::try_new().map(|simd| Simd::vectorize(simd, operation)));
    outputs
}

/// Checks that `operation` gives the same bits everywhere.
#[track_caller]
pub fn assert_same_bits<O: WithSimd<Output = Vec<f32>> + Copy>(operation: O) {
    let outputs = on_every_instruction_set(operation);
    let bits: Vec<Vec<u32>> =
        outputs.iter().map(|output| output.iter().map(|number| number.to_bits()).collect()).collect();
    assert!(bits[0].len() > 1 && outputs[0].iter().all(|number| number.is_finite()), "numbers to compare");
    for (set, other) in bits.iter().enumerate() {
        let differs = other.iter().zip(&bits[0]).position(|(left, right)| left != right);
        assert!(differs.is_none() && other.len() == bits[0].len(), "instruction set {set} differs at {differs:?}");
    }
}
