//! Safetensors files with one metadata key and reproducible bytes: the format of models and checkpoints.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, View, serialize};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files;
use crate::model::HostTensor;

/// The one metadata key: several would be written in hash order.
const METADATA_KEY: &str = "lowrank";

/// A tensor on its way into or out of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Element type: `F32`, `U8`, `U32` or `U64`.
    pub dtype: Dtype,
    /// Shape.
    pub shape: Vec<usize>,
    /// Little-endian elements in row-major order.
    pub bytes: Vec<u8>,
}

impl Tensor {
    /// A tensor of floats.
    pub fn floats(values: &HostTensor) -> Self {
        let bytes = values.data.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dtype: Dtype::F32, shape: values.shape.clone(), bytes }
    }

    /// A vector of bytes.
    pub fn text(bytes: &[u8]) -> Self {
        Self { dtype: Dtype::U8, shape: vec![bytes.len()], bytes: bytes.to_vec() }
    }

    /// A vector of 32-bit numbers.
    pub fn u32s(values: &[u32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dtype: Dtype::U32, shape: vec![values.len()], bytes }
    }

    /// A vector of 64-bit numbers.
    pub fn u64s(values: &[u64]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dtype: Dtype::U64, shape: vec![values.len()], bytes }
    }

    /// The floats; `None` for another element type.
    pub fn values(&self) -> Option<HostTensor> {
        let (chunks, _) = self.bytes.as_chunks::<4>();
        (self.dtype == Dtype::F32).then(|| HostTensor {
            shape: self.shape.clone(),
            data: chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        })
    }

    /// How many floats it holds; `None` for another element type.
    pub fn num_floats(&self) -> Option<usize> {
        (self.dtype == Dtype::F32).then_some(self.bytes.len() / 4)
    }

    /// Whether no number in it is infinite or none at all.
    pub fn is_finite(&self) -> bool {
        let (chunks, _) = self.bytes.as_chunks::<4>();
        self.dtype != Dtype::F32 || chunks.iter().all(|bytes| f32::from_le_bytes(*bytes).is_finite())
    }

    /// The 32-bit numbers; `None` for another element type.
    pub fn to_u32s(&self) -> Option<Vec<u32>> {
        let (chunks, _) = self.bytes.as_chunks::<4>();
        (self.dtype == Dtype::U32).then(|| chunks.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }

    /// The 64-bit numbers; `None` for another element type.
    pub fn to_u64s(&self) -> Option<Vec<u64>> {
        let (chunks, _) = self.bytes.as_chunks::<8>();
        (self.dtype == Dtype::U64).then(|| chunks.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }
}

/// Writes tensors and a JSON header as one safetensors file with reproducible bytes.
///
/// # Errors
/// [`Error::Io`].
pub fn write_tensors(path: &Path, tensors: &[(String, Tensor)], header: &impl Serialize) -> Result<()> {
    let header = serde_json::to_string(header).map_err(|e| Error::Failed(format!("{}: {e}", path.display())))?;
    let metadata = HashMap::from([(METADATA_KEY.to_string(), header)]);
    let entries = tensors.iter().map(|(name, tensor)| (name.as_str(), Entry(tensor)));
    let start = serialize(entries, Some(metadata)).map_err(|e| Error::model_file(path, e.to_string()))?;
    // The order in which safetensors lays them out.
    let mut in_order: Vec<_> = tensors.iter().collect();
    in_order.sort_by(|(a_name, a), (b_name, b)| b.dtype.cmp(&a.dtype).then(a_name.cmp(b_name)));
    files::write_atomic(path, |writer| {
        let mut parts = std::iter::once(&start).chain(in_order.into_iter().map(|(_, tensor)| &tensor.bytes));
        parts.try_for_each(|part| writer.write_all(part)).map_err(|e| Error::io("write", path, e))
    })
}

/// A tensor in the header of a file: its elements are written after the header directly from their buffer, without
/// copying a large model in memory.
struct Entry<'a>(&'a Tensor);

impl View for Entry<'_> {
    fn dtype(&self) -> Dtype {
        self.0.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }

    fn data_len(&self) -> usize {
        self.0.bytes.len()
    }
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileForm {
    /// Version of its format.
    pub version: u32,
    /// A key that the header of every version of these files has, and that of no other file; empty if there is none.
    pub mark: &'static str,
}

/// Reads a file of this form written by [`write_tensors`].
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::ModelFile`] if it is damaged, not lowrank's, or of another format
/// version.
pub fn read_tensors<H: DeserializeOwned>(path: &Path, form: FileForm) -> Result<(BTreeMap<String, Tensor>, H)> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
    let damaged = |cause: String| {
        Error::model_file(
            path,
            format!("is damaged, truncated or not a safetensors file ({cause}); name a run directory, or train again"),
        )
    };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
    let header = metadata
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(METADATA_KEY))
        .ok_or_else(|| Error::model_file(path, "is a safetensors file, but was not written by lowrank"))?;
    let version: Version = serde_json::from_str(header).map_err(|e| damaged(e.to_string()))?;
    let other = |cause: String| {
        let cause = format!("is a lowrank file of another kind ({cause}); name the run directory");
        Error::model_file(path, cause)
    };
    if version.format_version != form.version {
        let fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(header).map_err(|e| damaged(e.to_string()))?;
        if !form.mark.is_empty() && !fields.contains_key(form.mark) {
            return Err(other(format!("it has no {}", form.mark)));
        }
        return Err(Error::model_file(
            path,
            format!(
                "has format version {}, but this lowrank reads version {}; use the lowrank that wrote it, or train again",
                version.format_version, form.version
            ),
        ));
    }
    // Version and JSON are valid, so the file is intact but of another kind: a model is not a checkpoint, for example.
    let header = serde_json::from_str(header).map_err(|e| other(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
    let tensors = file
        .iter()
        .map(|(name, view)| {
            let tensor = Tensor { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() };
            (name.to_string(), tensor)
        })
        .collect();
    Ok((tensors, header))
}
