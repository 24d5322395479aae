//! `auto`, `cpu`, `ndarray`, `wgpu[:i]`, `cuda[:i]` → a burn device. The only file that knows which backends are built in.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor};

use crate::error::{Error, Result};

#[cfg(feature = "flex")]
mod row_dots;

/// A device as the user requests it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceSpec {
    /// The best device that is built in and present; never a GPU emulated in software.
    Auto,
    /// burn's flex backend.
    Cpu,
    /// burn's ndarray backend.
    NdArray,
    /// A graphics API. `None`: the first hardware GPU; `Some(i)`: hardware GPU number i.
    Wgpu(Option<usize>),
    /// A graphics API emulated in software, requested as `wgpu:cpu`.
    WgpuCpu,
    /// NVIDIA GPU number i.
    Cuda(usize),
}

impl FromStr for DeviceSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || {
            Error::Device(format!(
                "unknown device {text:?}; use auto, cpu, ndarray, wgpu, wgpu:0, wgpu:cpu, cuda or cuda:0"
            ))
        };
        let (kind, index) = match text.split_once(':') {
            Some((kind, index)) => (kind, Some(index)),
            None => (text, None),
        };
        let number = || index.map(|index| index.parse::<usize>().map_err(|_| unknown())).transpose();
        match kind {
            "wgpu" if index == Some("cpu") => Ok(Self::WgpuCpu),
            "wgpu" => Ok(Self::Wgpu(number()?)),
            "cuda" => Ok(Self::Cuda(number()?.unwrap_or(0))),
            "auto" | "cpu" | "ndarray" if index.is_some() => Err(unknown()),
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "ndarray" => Ok(Self::NdArray),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => write!(f, "auto"),
            Self::Cpu => write!(f, "cpu"),
            Self::NdArray => write!(f, "ndarray"),
            Self::Wgpu(None) => write!(f, "wgpu"),
            Self::Wgpu(Some(index)) => write!(f, "wgpu:{index}"),
            Self::WgpuCpu => write!(f, "wgpu:cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// A device that is ready, without autodiff.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What was opened; never [`DeviceSpec::Auto`].
    pub spec: DeviceSpec,
    /// burn's handle.
    pub device: Device,
}

impl Opened {
    /// Whether reading a tensor back is free, because it is in main memory and is computed eagerly.
    pub fn is_host(&self) -> bool {
        matches!(self.spec, DeviceSpec::Cpu | DeviceSpec::NdArray)
    }
}

/// Reads a tensor back to main memory as `f32`, in row-major order.
pub fn to_vec<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data_as::<f32>().try_into_vec().expect("converted to f32")
}

/// Hands a matrix to `read` as numbers in row-major order, on the `cpu` device without a copy.
pub fn with_values<T>(matrix: Tensor<2>, read: impl FnOnce(&[f32]) -> T) -> T {
    let matrix = if matrix.is_autodiff() { matrix.inner() } else { matrix };
    #[cfg(feature = "flex")]
    if let Ok(own) = matrix.clone().try_into_primitive::<burn::backend::Flex>()
        && let Some(values) = own.as_slice::<f32>()
    {
        return read(values);
    }
    read(&to_vec(matrix))
}

/// Dot products of rows of two tables: `left[pairs[0][j]] · right[pairs[1][j]]` for each j. Differentiable; on the
/// `cpu` device without gathering the rows.
///
/// # Shapes
/// - `left`, `right`: `[_, width]`
/// - `pairs`: `[pairs]` each
/// - output: `[pairs, 1]`
pub fn row_dots(left: Tensor<2>, right: Tensor<2>, pairs: [&Tensor<1, Int>; 2]) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if let Some(dots) = row_dots::row_dots(&left, &right, pairs) {
        return dots;
    }
    (left.select(0, pairs[0].clone()) * right.select(0, pairs[1].clone())).sum_dim(1)
}

/// Weighted sums of rows of a table: Σ weightsⱼ · row(rowsⱼ) over the j with bagsⱼ = b, for each b below `count`.
/// Differentiable.
///
/// # Shapes
/// - `table`: `[_, width]`
/// - `rows`, `bags`: `[members]`; `weights`: `[members, 1]`, `None` for 1
/// - output: `[count, width]`
pub fn bag_sums(
    table: Tensor<2>,
    rows: Tensor<1, Int>,
    weights: Option<Tensor<2>>,
    bags: Tensor<1, Int>,
    count: usize,
) -> Tensor<2> {
    let zeros = Tensor::zeros([count, table.dims()[1]], &table.device());
    if rows.dims()[0] == 0 {
        return zeros;
    }
    let members = table.select(0, rows);
    let members = match weights {
        Some(weights) => members * weights,
        None => members,
    };
    zeros.select_assign(0, bags, members, IndexingUpdateOp::Add)
}

/// Sum of a vector, in an order that does not depend on the number of threads: burn's CPU backend splits a `sum` of
/// millions of values among threads, but not a `sum_dim`.
pub fn total(vector: Tensor<1>) -> Tensor<1> {
    const WIDTH: usize = 1024;
    let length = vector.dims()[0];
    if length <= WIDTH * WIDTH {
        return vector.sum();
    }
    let whole = length / WIDTH * WIDTH;
    let rows = vector.clone().slice(0..whole).reshape([whole / WIDTH, WIDTH]).sum_dim(1).squeeze_dim(1);
    let sum = total(rows);
    if whole < length { sum + vector.slice(whole..length).sum() } else { sum }
}

/// ‖row‖² of each row of a matrix; differentiable.
///
/// # Shapes
/// - `matrix`: `[rows, width]`
/// - output: `[rows, 1]`
pub fn row_squares(matrix: Tensor<2>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if let Some(squares) = row_dots::row_squares(&matrix) {
        return squares;
    }
    (matrix.clone() * matrix).sum_dim(1)
}

/// Whether a device's tensors are in main memory, so that one with a single owner is handed over and back without a
/// copy.
pub fn is_host(device: &Device) -> bool {
    let host = [DeviceSpec::Cpu, DeviceSpec::NdArray];
    host.into_iter().filter_map(|spec| spec.open().ok()).any(|opened| opened.device == *device)
}

/// Names of the devices that this build can open, for messages.
pub fn built_in() -> Vec<&'static str> {
    let mut names = Vec::new();
    for (name, built) in [
        ("cpu", cfg!(feature = "flex")),
        ("ndarray", cfg!(feature = "ndarray")),
        ("wgpu", cfg!(feature = "wgpu")),
        ("cuda", cfg!(feature = "cuda")),
    ] {
        if built {
            names.push(name);
        }
    }
    names
}

impl DeviceSpec {
    /// Opens the device.
    ///
    /// # Errors
    /// [`Error::Device`] if it is not built in (naming the cargo feature) or not present. Only `auto` tries several.
    pub fn open(self) -> Result<Opened> {
        match self {
            Self::Auto => {
                let order = [Self::Cuda(0), Self::Wgpu(None), Self::Cpu, Self::NdArray];
                order.into_iter().find_map(|spec| spec.open().ok()).ok_or_else(|| {
                    Error::Device(format!(
                        "no device is usable: this build has {} but no such hardware; build with --features flex, \
                         or ask for wgpu:cpu",
                        built_in().join(", ")
                    ))
                })
            }
            Self::Cpu => flex(self),
            Self::NdArray => ndarray(self),
            Self::Wgpu(_) | Self::WgpuCpu => wgpu(self),
            Self::Cuda(index) => cuda(self, index),
        }
    }
}

#[cfg(not(all(feature = "flex", feature = "ndarray", feature = "wgpu", feature = "cuda")))]
fn not_built_in(spec: DeviceSpec, feature: &str) -> Error {
    Error::Device(format!(
        "device {spec} is not built in (this build has {}); build with: cargo build --release --features {feature}",
        built_in().join(", ")
    ))
}

#[cfg(feature = "flex")]
fn flex(spec: DeviceSpec) -> Result<Opened> {
    Ok(Opened { spec, device: Device::flex() })
}

#[cfg(not(feature = "flex"))]
fn flex(spec: DeviceSpec) -> Result<Opened> {
    Err(not_built_in(spec, "flex"))
}

#[cfg(feature = "ndarray")]
#[allow(deprecated, reason = "kept selectable although burn prefers flex")]
fn ndarray(spec: DeviceSpec) -> Result<Opened> {
    Ok(Opened { spec, device: Device::ndarray() })
}

#[cfg(not(feature = "ndarray"))]
fn ndarray(spec: DeviceSpec) -> Result<Opened> {
    Err(not_built_in(spec, "ndarray"))
}

#[cfg(feature = "wgpu")]
fn wgpu(spec: DeviceSpec) -> Result<Opened> {
    use burn::tensor::DeviceKind;

    // The enumeration itself panics if no graphics driver can be loaded.
    let found = quietly(|| Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec()).unwrap_or_default();
    let describe = |device: &Device| format!("{device:?}");
    let software: Vec<bool> = found.iter().map(|device| *device == Device::wgpu(DeviceKind::Cpu)).collect();
    let absent = |what: &str| {
        Error::Device(format!(
            "device {spec}: {what} (found: {}); install a Vulkan, Metal or DirectX 12 driver",
            if found.is_empty() {
                "none".to_string()
            } else {
                found.iter().map(describe).collect::<Vec<_>>().join(", ")
            }
        ))
    };
    let device = match spec {
        DeviceSpec::WgpuCpu => {
            if !software.contains(&true) {
                return Err(absent("no software graphics device is present"));
            }
            Device::wgpu(DeviceKind::Cpu)
        }
        DeviceSpec::Wgpu(index) => {
            let hardware = found.iter().zip(&software).filter(|(_, software)| !**software).map(|(device, _)| device);
            let device = hardware.clone().nth(index.unwrap_or(0)).cloned();
            device.ok_or_else(|| {
                absent(&match index {
                    Some(index) => format!("there is no graphics device number {index}, only {}", hardware.count()),
                    None => "no graphics device is present; ask for wgpu:cpu to emulate one in software".to_string(),
                })
            })?
        }
        _ => unreachable!("only called for wgpu"),
    };
    usable(spec, device)
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(spec: DeviceSpec) -> Result<Opened> {
    Err(not_built_in(spec, "wgpu"))
}

#[cfg(feature = "cuda")]
fn cuda(spec: DeviceSpec, index: usize) -> Result<Opened> {
    usable(spec, Device::cuda(index))
}

#[cfg(not(feature = "cuda"))]
fn cuda(spec: DeviceSpec, _index: usize) -> Result<Opened> {
    Err(not_built_in(spec, "cuda"))
}

/// Runs one small computation: burn's GPU backends report a missing driver by panicking at the first operation.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn usable(spec: DeviceSpec, device: Device) -> Result<Opened> {
    let probe = quietly(|| {
        let one = Tensor::<1>::ones([1], &device);
        to_vec(one.clone() + one)
    });
    match probe {
        Ok(sum) if sum == [2.0] => Ok(Opened { spec, device }),
        Ok(sum) => Err(Error::Device(format!("device {spec} computes 1 + 1 = {sum:?}; its driver is broken"))),
        Err(cause) => Err(Error::Device(format!("device {spec} cannot be opened: {cause}"))),
    }
}

/// Runs `work` and turns a panic into its message, without the default report on standard error.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn quietly<T>(work: impl FnOnce() -> T) -> std::result::Result<T, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    std::panic::set_hook(hook);
    outcome.map_err(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        text.or_else(|| cause.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_else(|| "unknown cause".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for name in ["auto", "cpu", "ndarray", "wgpu", "wgpu:1", "wgpu:cpu", "cuda:0"] {
            assert_eq!(name.parse::<DeviceSpec>().expect("valid").to_string(), name);
        }
        for name in ["", "gpu", "cpu:1", "cuda:x", "wgpu:-1", "auto:0"] {
            let message = name.parse::<DeviceSpec>().expect_err("invalid").to_string();
            assert!(message.contains("wgpu:cpu"), "{message}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_backend_that_is_not_built_in_is_an_error_that_names_the_feature() {
        let message = DeviceSpec::Cuda(0).open().expect_err("not built in").to_string();
        assert!(message.contains("--features cuda"), "{message}");
    }
}
