//! TensorBoard event files: length-prefixed, checksummed protobuf records, one per event.
//!
//! Scalars, histograms and images are written as plain summary values, which every version of TensorBoard reads;
//! text and hyper-parameters carry the metadata of their plugin.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protobuf::well_known_types::{Value, Value_oneof_kind};
use protobuf::{Message, RepeatedField, SingularPtrField};
use tensorboard_proto::api::Status;
use tensorboard_proto::event::{Event, Event_oneof_what, SessionLog, SessionLog_SessionStatus};
use tensorboard_proto::plugin_hparams::{
    HParamsPluginData, HParamsPluginData_oneof_data, SessionEndInfo, SessionStartInfo,
};
use tensorboard_proto::summary::{
    HistogramProto, Summary, Summary_Image, Summary_Value, Summary_Value_oneof_value, SummaryMetadata,
    SummaryMetadata_PluginData,
};
use tensorboard_proto::tensor::TensorProto;
use tensorboard_proto::tensor_shape::TensorShapeProto;
use tensorboard_proto::types::DataType;
use tensorboard_rs::record_writer::RecordWriter;

use super::plot::Png;
use crate::error::{Error, Result};

/// Buckets of a histogram, of equal width between its smallest and largest value.
const BUCKETS: usize = 64;

/// One event file, open for appending.
///
/// Events reach the disk at [`flush`](Self::flush), when the buffer is full and when the file is dropped.
pub struct EventFile {
    path: PathBuf,
    writer: RecordWriter<BufWriter<File>>,
}

impl EventFile {
    /// A new file in `folder`, which must exist, for a new run.
    ///
    /// It is called `events.out.tfevents.<unix seconds>.lowrank`. TensorBoard discards the contents of older files in
    /// the folder.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be created or written.
    pub fn create(folder: &Path) -> Result<Self> {
        Self::start(folder, 0)
    }

    /// A new file in `folder` for a run that continues after `last_step`.
    ///
    /// TensorBoard keeps the events of older files in the folder up to `last_step` and discards later ones: those
    /// between the checkpoint and the end of the interrupted run, which will be written again.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be created or written.
    pub fn resume(folder: &Path, last_step: i64) -> Result<Self> {
        Self::start(folder, last_step + 1)
    }

    fn start(folder: &Path, step: i64) -> Result<Self> {
        let mut this = Self::append(folder)?;
        // TensorBoard notes the first start in a folder; each later one makes it discard events from its step on.
        let start = SessionLog { status: SessionLog_SessionStatus::START, ..Default::default() };
        this.event(step, Event_oneof_what::session_log(start))?;
        Ok(this)
    }

    /// A new file in `folder` for additional events.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be created or written.
    pub fn append(folder: &Path) -> Result<Self> {
        let name = format!("events.out.tfevents.{:010}.lowrank", now().as_secs());
        let mut path = folder.join(&name);
        let mut attempt = 0;
        let file = loop {
            match File::create_new(&path) {
                // A run resumed within the same second. Files are read in the order of their names.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                    attempt += 1;
                    path = folder.join(format!("{name}.{attempt}"));
                }
                result => break result.map_err(|e| Error::io("create", &path, e))?,
            }
        };
        let mut this = Self { path, writer: RecordWriter::new(BufWriter::new(file)) };
        this.event(0, Event_oneof_what::file_version("brain.Event:2".into()))?;
        Ok(this)
    }

    /// One point of the curve `tag`, such as `loss/train`. TensorBoard keeps it as `f32`.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn scalar(&mut self, tag: &str, step: i64, value: f64) -> Result<()> {
        self.summary(tag, step, None, Summary_Value_oneof_value::simple_value(value as f32))
    }

    /// The distribution of `values`. Values that are not finite are skipped.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn histogram(&mut self, tag: &str, step: i64, values: &[f32]) -> Result<()> {
        self.summary(tag, step, None, Summary_Value_oneof_value::histo(buckets(values)))
    }

    /// A picture of `width` × `height` pixels, already encoded as PNG.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn image_png(&mut self, tag: &str, step: i64, width: u32, height: u32, png: &[u8]) -> Result<()> {
        let image = Summary_Image {
            width: width as i32,
            height: height as i32,
            encoded_image_string: png.to_vec(),
            ..Default::default()
        };
        self.summary(tag, step, None, Summary_Value_oneof_value::image(image))
    }

    /// A text, shown as Markdown.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn text(&mut self, tag: &str, step: i64, markdown: &str) -> Result<()> {
        let tensor = TensorProto {
            dtype: DataType::DT_STRING,
            tensor_shape: SingularPtrField::some(TensorShapeProto::default()),
            string_val: RepeatedField::from_vec(vec![markdown.as_bytes().to_vec()]),
            ..Default::default()
        };
        self.summary(tag, step, Some(plugin("text", Vec::new())), Summary_Value_oneof_value::tensor(tensor))
    }

    /// The settings of this run, for the table that compares runs. Lists and tables appear as their JSON.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn hparams(&mut self, settings: &[(String, serde_json::Value)]) -> Result<()> {
        let settings = settings.iter().map(|(name, value)| (name.clone(), proto_value(value)));
        let start = SessionStartInfo {
            hparams: settings.collect(),
            start_time_secs: now().as_secs_f64(),
            ..Default::default()
        };
        self.hparams_data("_hparams_/session_start_info", HParamsPluginData_oneof_data::session_start_info(start))
    }

    /// The end of the run that [`hparams`](Self::hparams) began.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn hparams_end(&mut self, succeeded: bool) -> Result<()> {
        let status = if succeeded { Status::STATUS_SUCCESS } else { Status::STATUS_FAILURE };
        let end = SessionEndInfo { status, end_time_secs: now().as_secs_f64(), ..Default::default() };
        self.hparams_data("_hparams_/session_end_info", HParamsPluginData_oneof_data::session_end_info(end))
    }

    fn hparams_data(&mut self, tag: &str, data: HParamsPluginData_oneof_data) -> Result<()> {
        let data = HParamsPluginData { data: Some(data), ..Default::default() };
        let metadata = plugin("hparams", data.write_to_bytes().map_err(|e| self.refused(e.into()))?);
        // The content is in the metadata. As in TensorBoard's own files, the value is a placeholder.
        let placeholder = TensorProto {
            dtype: DataType::DT_FLOAT,
            tensor_shape: SingularPtrField::some(TensorShapeProto::default()),
            float_val: vec![0.0],
            ..Default::default()
        };
        self.summary(tag, 0, Some(metadata), Summary_Value_oneof_value::tensor(placeholder))
    }

    /// Pictures under their file names, and writes everything out.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn pictures<'a>(&mut self, pictures: impl Iterator<Item = (&'a str, &'a Png)>) -> Result<()> {
        for (file, Png { bytes, width, height }) in pictures {
            self.image_png(&format!("views/{}", file.trim_end_matches(".png")), 0, *width, *height, bytes)?;
        }
        self.flush()
    }

    /// Passes everything written so far to the operating system.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written: a full disk, a missing folder.
    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(|e| self.refused(e))
    }

    fn summary(
        &mut self,
        tag: &str,
        step: i64,
        metadata: Option<SummaryMetadata>,
        value: Summary_Value_oneof_value,
    ) -> Result<()> {
        let value =
            Summary_Value { tag: tag.into(), metadata: metadata.into(), value: Some(value), ..Default::default() };
        let summary = Summary { value: RepeatedField::from_vec(vec![value]), ..Default::default() };
        self.event(step, Event_oneof_what::summary(summary))
    }

    fn event(&mut self, step: i64, what: Event_oneof_what) -> Result<()> {
        let event = Event { wall_time: now().as_secs_f64(), step, what: Some(what), ..Default::default() };
        let written =
            event.write_to_bytes().map_err(std::io::Error::from).and_then(|record| self.writer.write(&record));
        written.map_err(|e| self.refused(e))
    }

    fn refused(&self, source: std::io::Error) -> Error {
        Error::io("write the event file", &self.path, source)
    }
}

fn now() -> Duration {
    // A clock before 1970 misorders events but is no reason to stop a run.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn plugin(name: &str, content: Vec<u8>) -> SummaryMetadata {
    let data = SummaryMetadata_PluginData { plugin_name: name.into(), content, ..Default::default() };
    SummaryMetadata { plugin_data: SingularPtrField::some(data), ..Default::default() }
}

fn proto_value(value: &serde_json::Value) -> Value {
    let kind = match value {
        serde_json::Value::Bool(flag) => Value_oneof_kind::bool_value(*flag),
        serde_json::Value::String(text) => Value_oneof_kind::string_value(text.clone()),
        _ => match value.as_f64() {
            Some(number) => Value_oneof_kind::number_value(number),
            None => Value_oneof_kind::string_value(value.to_string()),
        },
    };
    Value { kind: Some(kind), ..Default::default() }
}

/// Counts in [`BUCKETS`] buckets of equal width; one bucket if all values are equal, none without values.
fn buckets(values: &[f32]) -> HistogramProto {
    let finite = || values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value));
    let (min, max) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if min > max {
        return HistogramProto::default();
    }
    let count = if min < max { BUCKETS } else { 1 };
    let width = (max - min) / count as f64;
    let mut histogram = HistogramProto {
        min,
        max,
        bucket_limit: (1..count).map(|i| min + width * i as f64).chain([max]).collect(),
        bucket: vec![0.0; count],
        ..Default::default()
    };
    for value in finite() {
        histogram.num += 1.0;
        histogram.sum += value;
        histogram.sum_squares += value * value;
        // 0/0, if all values are equal, converts to 0.
        histogram.bucket[(((value - min) / width) as usize).min(count - 1)] += 1.0;
    }
    histogram
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The events of `folder`, in the order of its files.
    fn read(folder: &Path) -> Vec<Event> {
        let mut files: Vec<_> = fs::read_dir(folder).expect("folder").map(|e| e.expect("entry").path()).collect();
        files.sort();
        let mut events = Vec::new();
        for file in files {
            let bytes = fs::read(file).expect("event file");
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let length = u64::from_le_bytes(rest[..8].try_into().expect("8 bytes")) as usize;
                events.push(Event::parse_from_bytes(&rest[12..12 + length]).expect("an event"));
                rest = &rest[12 + length + 4..];
            }
        }
        events
    }

    #[test]
    fn events_come_back_as_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut file = EventFile::create(folder.path()).expect("create");
        file.scalar("loss/train", 3, 0.5).expect("scalar");
        file.text("config", 0, "[model]").expect("text");
        file.image_png("plot", 7, 2, 1, b"png").expect("image");
        file.hparams(&[("rank".into(), 8.into()), ("kinds".into(), serde_json::json!(["a"]))]).expect("hparams");
        file.flush().expect("flush");

        let events = read(folder.path());
        assert_eq!(events[0].get_file_version(), "brain.Event:2");
        assert!(events.iter().all(|event| event.wall_time > 1.6e9));
        let value = |i: usize| &events[i].get_summary().value[0];
        assert_eq!((events[2].step, value(2).get_tag(), value(2).get_simple_value()), (3, "loss/train", 0.5));
        assert_eq!(value(3).get_metadata().get_plugin_data().get_plugin_name(), "text");
        assert_eq!(value(3).get_tensor().string_val[0], b"[model]");
        let image = value(4).get_image();
        assert_eq!((image.width, image.height, &image.encoded_image_string[..]), (2, 1, &b"png"[..]));
        let data = HParamsPluginData::parse_from_bytes(value(5).get_metadata().get_plugin_data().get_content())
            .expect("hparams data");
        let settings = &data.get_session_start_info().hparams;
        assert_eq!(settings["rank"].get_number_value(), 8.0);
        assert_eq!(settings["kinds"].get_string_value(), r#"["a"]"#);
    }

    #[test]
    fn a_resumed_run_adds_a_file_that_starts_after_the_last_step() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut files = vec![EventFile::create(folder.path()).expect("create")];
        files.extend([10, 20].map(|step| EventFile::resume(folder.path(), step).expect("resume")));
        for (file, step) in files.iter_mut().zip([5, 15, 25]) {
            file.scalar("x", step, 1.0).expect("scalar");
        }
        drop(files);
        let events = read(folder.path());
        let steps = |kind: fn(&Event) -> bool| events.iter().filter(|e| kind(e)).map(|e| e.step).collect::<Vec<_>>();
        assert_eq!(steps(Event::has_session_log), [0, 11, 21]);
        assert_eq!(steps(Event::has_summary), [5, 15, 25]);
    }

    #[test]
    fn buckets_count_every_finite_value_once() {
        let values: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).chain([f32::NAN, f32::INFINITY]).collect();
        let histogram = buckets(&values);
        assert_eq!(histogram.num, 1000.0);
        assert_eq!(histogram.bucket.iter().sum::<f64>(), 1000.0);
        assert_eq!(histogram.bucket_limit.len(), BUCKETS);
        assert_eq!(histogram.bucket_limit.last(), Some(&histogram.max));
        assert!(histogram.bucket_limit.is_sorted() && histogram.bucket_limit[0] > histogram.min);
        // The first bucket against a direct count.
        let first = values.iter().filter(|&&v| f64::from(v) < histogram.bucket_limit[0]).count();
        assert_eq!(histogram.bucket[0], first as f64);
    }

    #[test]
    fn buckets_of_nothing_and_of_one_value() {
        assert_eq!(buckets(&[f32::NAN]).bucket.len(), 0);
        let constant = buckets(&[2.0, 2.0]);
        assert_eq!((&constant.bucket[..], &constant.bucket_limit[..]), (&[2.0][..], &[2.0][..]));
        assert_eq!((constant.sum, constant.sum_squares), (4.0, 8.0));
        assert_eq!(buckets(&[f32::MIN, f32::MAX]).bucket[BUCKETS - 1], 1.0);
    }

    #[test]
    fn a_folder_that_is_missing_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(EventFile::create(&folder.path().join("gone")), Err(Error::Io { .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let mut file = EventFile { path: "full".into(), writer: RecordWriter::new(BufWriter::new(full)) };
        file.scalar("x", 0, 1.0).expect("buffered");
        let message = file.flush().expect_err("no room").to_string();
        assert!(message.starts_with("full: cannot write the event file"), "{message}");
    }
}
