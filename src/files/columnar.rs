//! Reading Parquet and Arrow files as the CSV files that they would be, so that whatever reads tables reads them too.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// A form of files that keep tables column by column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Parquet.
    Parquet,
    /// The file form of Arrow, which is that of Feather, version 2.
    Arrow,
}

impl Form {
    /// The form of a file that begins with these bytes.
    pub fn of(start: &[u8]) -> Option<Self> {
        let forms = [(&b"PAR1"[..], Self::Parquet), (b"ARROW1", Self::Arrow)];
        forms.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, form)| form)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Arrow => "Arrow",
        }
    }
}

/// The rows of a file as lines of CSV, after one with the names of the columns.
///
/// # Errors
/// [`Error::Data`], because this program was built without the feature.
#[cfg(not(feature = "parquet"))]
pub fn as_csv(form: Form, _: File, path: &Path) -> Result<Box<dyn Read + Send>> {
    let name = form.name();
    let read = if form == Form::Parquet { "read_parquet" } else { "read_feather" };
    Err(Error::data(
        path,
        format!(
            "is a file of {name}, which this program was built without (cargo build --features parquet); or convert it in \
             Python: pandas.{read}(path).to_csv(\"ratings.csv\", index=False)"
        ),
    ))
}

/// The rows of a file as lines of CSV, after one with the names of the columns. Missing values and NaN are empty fields, true
/// is 1, and dates and times are seconds since 1970.
///
/// # Errors
/// [`Error::Data`] if it is damaged, or if a column holds lists or records.
#[cfg(feature = "parquet")]
pub fn as_csv(form: Form, file: File, path: &Path) -> Result<Box<dyn Read + Send>> {
    let damaged =
        |error: String| Error::data(path, format!("is no {} file that can be read: {error}; get it anew", form.name()));
    let (schema, batches) = batches::of(form, file).map_err(|error| damaged(error.to_string()))?;
    if let Some(field) = schema.fields().iter().find(|field| field.data_type().is_nested()) {
        let cause = "holds lists or records; leave it out, or write a row for each";
        return Err(Error::data(path, format!("the column {:?} {cause}", field.name())));
    }
    Ok(Box::new(batches::Csv::new(&schema, batches)))
}

/// A column of a table to write, a value a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Texts.
    Texts(Vec<String>),
    /// Whole numbers from 0 up.
    Counts(Vec<u32>),
    /// Numbers.
    Numbers(Vec<f32>),
}

/// Writes named columns, all of one length, as a Parquet file.
///
/// # Errors
/// [`Error::Usage`], because this program was built without the feature.
#[cfg(not(feature = "parquet"))]
pub fn write_parquet(_: &Path, _: Vec<(&str, Column)>) -> Result<()> {
    Err(Error::Usage(
        "this program was built without Parquet (cargo build --features parquet); take the format csv or json-lines"
            .into(),
    ))
}

/// Writes named columns, all of one length, as a Parquet file.
///
/// # Errors
/// [`Error::Io`], [`Error::Failed`].
#[cfg(feature = "parquet")]
pub fn write_parquet(path: &Path, columns: Vec<(&str, Column)>) -> Result<()> {
    let bytes = batches::parquet(columns).map_err(|error| Error::Failed(format!("{}: {error}", path.display())))?;
    super::whole::write_bytes(path, &bytes)
}

#[cfg(feature = "parquet")]
mod batches {
    use std::error::Error;
    use std::fs::File;
    use std::io::{Error as IoError, ErrorKind, Read};
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float32Type, Float64Type};
    use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray, UInt32Array};
    use arrow_cast::cast;
    use arrow_csv::WriterBuilder;
    use arrow_ipc::reader::FileReader;
    use arrow_schema::{ArrowError, DataType, SchemaRef, TimeUnit};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::basic::Compression;
    use parquet::file::properties::WriterProperties;

    use crate::files::columnar::{Column, Form};

    /// Rows, some at a time.
    pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

    /// The columns of a file, and its rows.
    pub fn of(form: Form, file: File) -> Result<(SchemaRef, Batches), Box<dyn Error>> {
        Ok(match form {
            Form::Parquet => {
                let reader = ParquetRecordBatchReaderBuilder::try_new(file)?;
                (Arc::clone(reader.schema()), Box::new(reader.build()?))
            }
            Form::Arrow => {
                let reader = FileReader::try_new_buffered(file, None)?;
                (reader.schema(), Box::new(reader))
            }
        })
    }

    /// A Parquet file of these columns.
    pub fn parquet(columns: Vec<(&str, Column)>) -> Result<Vec<u8>, Box<dyn Error>> {
        let array = |(name, column): (&str, Column)| -> (String, ArrayRef) {
            let array: ArrayRef = match column {
                Column::Texts(texts) => Arc::new(StringArray::from(texts)),
                Column::Counts(counts) => Arc::new(UInt32Array::from(counts)),
                Column::Numbers(numbers) => Arc::new(Float32Array::from(numbers)),
            };
            (name.to_string(), array)
        };
        let batch = RecordBatch::try_from_iter(columns.into_iter().map(array))?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(bytes)
    }

    /// Rows that become text as it is read.
    pub struct Csv {
        batches: Batches,
        /// The lines of the last batch, of which the bytes from `next` on are not handed out yet.
        lines: Vec<u8>,
        next: usize,
    }

    impl Csv {
        /// The rows after a line with the names of the columns.
        pub fn new(schema: &SchemaRef, batches: Batches) -> Self {
            // Without rows the writer has no header.
            let mut header = csv::Writer::from_writer(Vec::new());
            let names = schema.fields().iter().map(|field| field.name().as_str());
            header.write_record(names).expect("memory is writable");
            Self { batches, lines: header.into_inner().expect("memory is writable"), next: 0 }
        }
    }

    impl Read for Csv {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            while self.next == self.lines.len() {
                let Some(batch) = self.batches.next() else { return Ok(0) };
                (self.lines, self.next) = (
                    batch
                        .and_then(|batch| lines(&batch))
                        .map_err(|error| IoError::new(ErrorKind::InvalidData, error))?,
                    0,
                );
            }
            let rest = &self.lines[self.next..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.next += count;
            Ok(count)
        }
    }

    fn lines(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let names = batch.schema();
        let names = names.fields().iter().map(|field| field.name());
        let columns = batch.columns().iter().map(plain).collect::<Result<Vec<_>, _>>()?;
        let batch =
            RecordBatch::try_from_iter_with_nullable(names.zip(columns).map(|(name, column)| (name, column, true)))?;
        let mut lines = Vec::new();
        WriterBuilder::new().with_header(false).build(&mut lines).write(&batch)?;
        Ok(lines)
    }

    /// A column as readers of tables expect it.
    fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        Ok(match column.data_type() {
            DataType::Boolean => cast(column, &DataType::Int8)?,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
                let seconds = cast(column, &DataType::Timestamp(TimeUnit::Second, None))?;
                cast(&seconds, &DataType::Int64)?
            }
            DataType::Float32 => {
                let numbers = column.as_primitive::<Float32Type>().iter();
                Arc::new(numbers.map(|number| number.filter(|number| !number.is_nan())).collect::<Float32Array>())
            }
            DataType::Float64 => {
                let numbers = column.as_primitive::<Float64Type>().iter();
                Arc::new(numbers.map(|number| number.filter(|number| !number.is_nan())).collect::<Float64Array>())
            }
            _ => Arc::clone(column),
        })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(not(feature = "parquet"))]
    mod not_built_in {
        use super::super::super::open;

        #[test]
        fn without_the_feature_there_is_a_remedy() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("r.csv");
            std::fs::write(&path, b"PAR1\x15\0").expect("written");
            let error = open(&path).err().expect("refused").to_string();
            assert!(error.contains("r.csv: is a file of Parquet") && error.contains("--features parquet"), "{error}");
        }
    }

    #[cfg(feature = "parquet")]
    mod built_in {
        use std::sync::Arc;

        use arrow_array::types::Int32Type;
        use arrow_array::{
            ArrayRef, BooleanArray, DictionaryArray, Float64Array, RecordBatch, TimestampNanosecondArray,
        };
        use arrow_ipc::CompressionType;
        use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
        use parquet::basic::{Compression, ZstdLevel};
        use parquet::data_type::{ByteArrayType, DoubleType, Int64Type};
        use parquet::file::properties::WriterProperties;
        use parquet::file::writer::SerializedFileWriter;
        use parquet::schema::parser::parse_message_type;

        use super::super::super::open;
        use super::super::*;
        use crate::data::read::{DenseTable, ReadOptions, read_dataset};

        /// Users, items and ratings, of which the last is missing.
        fn written(path: &Path, compression: Compression) {
            let schema = "message ratings {
            required byte_array user (utf8); required int64 movieId; optional double rating;
            required int64 timestamp (timestamp_millis);
        }";
            let schema = Arc::new(parse_message_type(schema).expect("a schema"));
            let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
            let file = File::create(path).expect("created");
            let mut writer = SerializedFileWriter::new(file, schema, properties).expect("a writer");
            let mut group = writer.next_row_group().expect("a group");
            let mut column = group.next_column().expect("a column").expect("users");
            let users = ["a, \"b\"", "ä", "c"].map(Into::into);
            column.typed::<ByteArrayType>().write_batch(&users, None, None).expect("written");
            column.close().expect("closed");
            let mut column = group.next_column().expect("a column").expect("items");
            column.typed::<Int64Type>().write_batch(&[7, 8, 9], None, None).expect("written");
            column.close().expect("closed");
            let mut column = group.next_column().expect("a column").expect("ratings");
            column.typed::<DoubleType>().write_batch(&[4.5, -1.0], Some(&[1, 1, 0]), None).expect("written");
            column.close().expect("closed");
            let mut column = group.next_column().expect("a column").expect("times");
            column.typed::<Int64Type>().write_batch(&[5000, 6999, 0], None, None).expect("written");
            column.close().expect("closed");
            group.close().expect("closed");
            writer.close().expect("closed");
        }

        const CSV: &str = "user,movieId,rating,timestamp\n\"a, \"\"b\"\"\",7,4.5,5\nä,8,-1.0,6\nc,9,,0\n";

        #[test]
        fn rows_are_lines_whatever_their_compression() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("r.parquet");
            let zstd = Compression::ZSTD(ZstdLevel::default());
            for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::LZ4_RAW, zstd] {
                written(&path, compression);
                let mut text = String::new();
                open(&path).expect("opened").read_to_string(&mut text).expect("read");
                assert_eq!(text, CSV);
            }
            // A file says its columns, so that a list needs no settings; a missing rating has its line.
            let error =
                read_dataset(&path, None, &ReadOptions::default()).expect_err("a rating is missing").to_string();
            assert!(error.contains("r.parquet:4:") && error.contains("rating"), "{error}");
            let table = read_dataset(&path, None, &ReadOptions::of_reader(DenseTable::default())).expect("a table");
            assert_eq!(table.interactions.targets, [4.5, 5.0, -1.0, 6.0, 0.0]);
        }

        /// A text as a category, a time in nanoseconds, a truth, and a number that is none; as pandas writes them.
        #[test]
        fn columns_of_arrow_are_read_as_what_they_mean() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("r.feather");
            let users: DictionaryArray<Int32Type> = [Some("a, \"b\""), None, Some("c")].into_iter().collect();
            let times = TimestampNanosecondArray::from(vec![5_000_000_001, 6_999_999_999, 0]);
            let columns: [(&str, ArrayRef); 4] = [
                ("user", Arc::new(users)),
                ("rating", Arc::new(Float64Array::from(vec![4.5, f64::NAN, -1.0]))),
                ("liked", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
                ("timestamp", Arc::new(times)),
            ];
            let batch = RecordBatch::try_from_iter(columns).expect("columns of a length");
            for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
                let options = IpcWriteOptions::default().try_with_compression(compression).expect("built in");
                let file = File::create(&path).expect("created");
                let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).expect("a writer");
                (0..2).for_each(|_| writer.write(&batch).expect("written"));
                writer.finish().expect("finished");
                let mut text = String::new();
                open(&path).expect("opened").read_to_string(&mut text).expect("read");
                let rows = "\"a, \"\"b\"\"\",4.5,1,5\n,,0,6\nc,-1.0,,0\n";
                assert_eq!(text, format!("user,rating,liked,timestamp\n{rows}{rows}"));
            }
            std::fs::write(&path, b"ARROW1\0\0and then").expect("written");
            let error = open(&path).err().expect("refused").to_string();
            assert!(error.contains("r.feather: is no Arrow file that can be read"), "{error}");
        }

        #[test]
        fn what_is_written_is_read_again() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("lists.parquet");
            let columns = vec![
                ("user", Column::Texts(vec!["a".into(), "b, c".into()])),
                ("rank", Column::Counts(vec![1, 2])),
                ("score", Column::Numbers(vec![0.5, -0.25])),
            ];
            write_parquet(&path, columns).expect("written");
            let mut text = String::new();
            open(&path).expect("opened").read_to_string(&mut text).expect("read");
            assert_eq!(text, "user,rank,score\na,1,0.5\n\"b, c\",2,-0.25\n");
        }

        #[test]
        fn damaged_files_are_refused() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("r.parquet");
            written(&path, Compression::SNAPPY);
            let good = std::fs::read(&path).expect("read");
            for end in [4, good.len() / 2, good.len() - 1] {
                std::fs::write(&path, &good[..end]).expect("written");
                let error = open(&path).err().expect("refused").to_string();
                assert!(error.contains("r.parquet: is no Parquet file that can be read"), "{error}");
            }
        }
    }
}
