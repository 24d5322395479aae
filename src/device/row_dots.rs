//! Dot products of rows on burn's CPU backend, as one operation with a derivative of its own.
//!
//! burn's operations would write intermediate matrices `[pairs, width]`: both gathered factors, their product, and two
//! more in the backward pass. Here each row is read in place. Every sum has a fixed order, so the results do not depend
//! on the number of threads.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::{Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::linalg::Groups;
use crate::linalg::dot::dot_f32_in_sixteen;

/// Values that one task handles: enough to be worth handing to another thread.
const TASK: usize = 1 << 14;

/// See [`super::row_dots()`]; `None` if the tensors are not of this backend or not in single precision.
pub fn row_dots(left: &Tensor<2>, right: &Tensor<2>, pairs: [&Tensor<1, Int>; 2]) -> Option<Tensor<2>> {
    let [left_rows, right_rows] = pairs.map(|rows| rows.clone().inner().try_into_primitive::<Flex>());
    let rows = [left_rows.ok()?, right_rows.ok()?];
    if !left.is_autodiff() {
        let tables = [left, right].map(|table| table.clone().try_into_primitive::<Flex>());
        let [left, right] = tables;
        let dots = Pairs { tables: [left.ok()?, right.ok()?], rows }.dots()?;
        return Some(Tensor::from_primitive::<Flex>(dots));
    }
    let [left, right] = [left, right].map(|table| table.clone().try_into_primitive::<Autodiff<Flex>>());
    let (left, right) = (left.ok()?, right.ok()?);
    let pairs = Pairs { tables: [left.primitive().clone(), right.primitive().clone()], rows };
    let dots = pairs.dots()?;
    let dots = match RowDots.prepare::<NoCheckpointing>([left.node(), right.node()]).compute_bound().stateful() {
        OpsKind::Tracked(operation) => operation.finish(pairs, dots),
        OpsKind::UnTracked(operation) => operation.finish(dots),
    };
    Some(Tensor::from_primitive::<Autodiff<Flex>>(dots))
}

/// See [`super::row_squares`]; `None` as above, and with autodiff, because this has no derivative.
pub fn row_squares(matrix: &Tensor<2>) -> Option<Tensor<2>> {
    if matrix.is_autodiff() {
        return None;
    }
    let matrix = matrix.clone().try_into_primitive::<Flex>().ok()?;
    let (values, width) = (matrix.as_slice::<f32>()?, matrix.shape()[1]);
    let rows = values.par_chunks_exact(width).with_min_len(TASK.div_ceil(width));
    let squares = rows.map(|row| dot_f32_in_sixteen(row, row)).collect();
    Some(Tensor::from_primitive::<Flex>(tensor(squares, 1)))
}

/// Two tables `[rows, width]`, and for each pair its row in each of them.
#[derive(Debug, Clone)]
struct Pairs {
    tables: [FloatTensor<Flex>; 2],
    rows: [IntTensor<Flex>; 2],
}

impl Pairs {
    /// `[pairs, 1]`.
    fn dots(&self) -> Option<FloatTensor<Flex>> {
        let [left, right] = [self.tables[0].as_slice::<f32>()?, self.tables[1].as_slice::<f32>()?];
        let [left_rows, right_rows] = [self.rows[0].as_slice::<i32>()?, self.rows[1].as_slice::<i32>()?];
        let width = self.width();
        let pairs = left_rows.par_iter().zip(right_rows).with_min_len(TASK.div_ceil(width));
        let dots = pairs.map(|(&l, &r)| dot_f32_in_sixteen(row(left, l, width), row(right, r, width))).collect();
        Some(tensor(dots, 1))
    }

    /// Gradient of the table on one side, given the gradient of the dot products: for each row, Σ of gradient × other
    /// row over the row's pairs, in their order.
    fn gradient(&self, side: usize, of_dots: &[f32]) -> FloatTensor<Flex> {
        let width = self.width();
        let slices = |side: usize| (self.tables[side].as_slice::<f32>(), self.rows[side].as_slice::<i32>());
        let ((_, Some(own_rows)), (Some(other), Some(other_rows))) = (slices(side), slices(1 - side)) else {
            unreachable!("they were slices in the forward pass");
        };
        // The pairs of each row, in their order.
        let pairs = Groups::of_positions(self.tables[side].shape()[0], own_rows.iter().map(|&row| row as usize));
        let mut gradient = vec![0.0; pairs.count() * width];
        let rows = gradient.par_chunks_exact_mut(width).with_min_len(TASK.div_ceil(width));
        rows.enumerate().for_each(|(at, sum)| {
            for &pair in pairs.get(at) {
                let (of_dot, row) = (of_dots[pair as usize], row(other, other_rows[pair as usize], width));
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += of_dot * value);
            }
        });
        tensor(gradient, width)
    }

    fn width(&self) -> usize {
        self.tables[0].shape()[1]
    }
}

#[derive(Debug)]
struct RowDots;

impl Backward<Flex, 2> for RowDots {
    type State = Pairs;

    fn backward(self, operation: Ops<Pairs, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let of_dots = gradients.consume::<Flex>(&operation.node).to_contiguous();
        let of_dots = of_dots.as_slice::<f32>().expect("as contiguous and as precise as the dot products");
        let [left, right] = operation.parents;
        let of = |side: usize, wanted: bool| wanted.then(|| operation.state.gradient(side, of_dots));
        let (of_left, of_right) = rayon::join(|| of(0, left.is_some()), || of(1, right.is_some()));
        for (parent, gradient) in [(left, of_left), (right, of_right)] {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

fn row(table: &[f32], row: i32, width: usize) -> &[f32] {
    &table[row as usize * width..][..width]
}

fn tensor(values: Vec<f32>, width: usize) -> FloatTensor<Flex> {
    let shape = [values.len() / width, width];
    Flex::float_from_data(TensorData::new(values, shape), &Default::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{DeviceSpec, to_vec};

    const PAIRS: usize = 3000;

    fn table(rows: usize, width: usize, start: f64) -> Tensor<2> {
        let values: Vec<f32> = (0..rows * width).map(|at| (start + 1.7 * at as f64).sin() as f32).collect();
        let device = DeviceSpec::Cpu.open().expect("a device").device;
        Tensor::from_data(TensorData::new(values, [rows, width]), &device)
    }

    /// Some rows are in many pairs, some in none.
    fn rows(num_rows: usize, step: usize) -> Tensor<1, Int> {
        let rows: Vec<i32> = (0..PAIRS).map(|pair| (pair * step % (num_rows - 1)) as i32).collect();
        Tensor::from_data(TensorData::new(rows, [PAIRS]), &table(1, 1, 0.0).device())
    }

    fn assert_close(found: Tensor<2>, expected: Tensor<2>, what: &str) {
        assert_eq!(found.dims(), expected.dims(), "{what}");
        for (found, expected) in to_vec(found).into_iter().zip(to_vec(expected)) {
            assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{what}: {found} is not {expected}");
        }
    }

    #[test]
    fn dots_and_their_gradients_are_those_of_gathered_rows() {
        for width in [1, 16, 37] {
            let pairs = [&rows(50, 7), &rows(400, 3)];
            for (left_is_trained, right_is_trained) in [(true, true), (true, false), (false, true)] {
                let tables = || {
                    let left = table(50, width, 0.1).autodiff().set_require_grad(left_is_trained);
                    (left, table(400, width, 0.2).autodiff().set_require_grad(right_is_trained))
                };
                let gradients = |dots: Tensor<2>, (left, right): (Tensor<2>, Tensor<2>)| {
                    let gradients = (dots * table(PAIRS, 1, 0.3).autodiff()).sum().backward();
                    [left.grad(&gradients), right.grad(&gradients)]
                };
                let (left, right) = tables();
                let dots = row_dots(&left, &right, pairs).expect("the backend and precision that this is for");
                let (plain_left, plain_right) = tables();
                let gathered =
                    [plain_left.clone().select(0, pairs[0].clone()), plain_right.clone().select(0, pairs[1].clone())];
                let [p, q] = gathered;
                let expected = (p * q).sum_dim(1);
                assert_close(dots.clone().inner(), expected.clone().inner(), "dots");
                let found = gradients(dots, (left, right));
                let expected = gradients(expected, (plain_left, plain_right));
                assert_eq!(found.each_ref().map(Option::is_some), [left_is_trained, right_is_trained]);
                for (found, expected) in found.into_iter().flatten().zip(expected.into_iter().flatten()) {
                    assert_close(found, expected, "gradients");
                }
            }
            let (left, right) = (table(50, width, 0.1), table(400, width, 0.2));
            let without = row_dots(&left, &right, pairs).expect("also without autodiff");
            let [p, q] = [left.select(0, pairs[0].clone()), right.select(0, pairs[1].clone())];
            assert_close(without, (p * q).sum_dim(1), "without autodiff");
        }
    }

    #[test]
    fn a_table_paired_with_itself_gets_the_gradient_of_both_sides() {
        let both = table(5, 3, 0.4).autodiff().require_grad();
        let pairs = [&rows(5, 1), &rows(5, 3)];
        let found = both.grad(&row_dots(&both, &both, pairs).expect("as above").sum().backward()).expect("trained");
        let plain = table(5, 3, 0.4).autodiff().require_grad();
        let dots = (plain.clone().select(0, pairs[0].clone()) * plain.clone().select(0, pairs[1].clone())).sum_dim(1);
        assert_close(found, plain.grad(&dots.sum().backward()).expect("trained"), "gradient");
    }

    #[test]
    fn squares_of_rows_are_sums_of_squares() {
        let matrix = table(2000, 21, 0.3);
        let expected = (matrix.clone() * matrix.clone()).sum_dim(1);
        assert_close(row_squares(&matrix).expect("as above"), expected, "squares");
        assert!(row_squares(&matrix.autodiff()).is_none(), "no derivative");
    }
}
