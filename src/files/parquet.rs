//! Reading Parquet files as the CSV files that they would be, so that whatever reads tables reads them too.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// What a Parquet file begins with.
pub const MAGIC: &[u8] = b"PAR1";

/// The rows of a Parquet file as lines of CSV, after one with the names of the columns.
///
/// # Errors
/// [`Error::Data`], because this program was built without the feature.
#[cfg(not(feature = "parquet"))]
pub fn as_csv(_: File, path: &Path) -> Result<Box<dyn Read + Send>> {
    Err(Error::data(
        path,
        "is a Parquet file, which this program was built without (cargo build --features parquet); or convert it in Python: \
         pandas.read_parquet(path).to_csv(\"ratings.csv\", index=False)",
    ))
}

/// The rows of a Parquet file as lines of CSV, after one with the names of the columns. Missing values and NaN are empty
/// fields, true is 1, and dates and times are seconds since 1970; but of times in nanoseconds, nanoseconds.
///
/// # Errors
/// [`Error::Data`] if it is damaged, or if a column holds lists or records.
#[cfg(feature = "parquet")]
pub fn as_csv(file: File, path: &Path) -> Result<Box<dyn Read + Send>> {
    use parquet::basic::Repetition;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::reader::RowIter;

    let reader = SerializedFileReader::new(file)
        .map_err(|error| Error::data(path, format!("is no Parquet file that can be read: {error}; get it anew")))?;
    let mut header = String::new();
    for column in reader.metadata().file_metadata().schema().get_fields() {
        let info = column.get_basic_info();
        if !column.is_primitive() || info.repetition() == Repetition::REPEATED {
            return Err(Error::data(
                path,
                format!("the column {:?} holds lists or records; leave it out, or write a row for each", info.name()),
            ));
        }
        rows::push(&mut header, |line| rows::push_text(line, info.name()));
    }
    header.push('\n');
    Ok(Box::new(rows::Csv::new(header, RowIter::from_file_into(Box::new(reader)))))
}

#[cfg(feature = "parquet")]
mod rows {
    use std::io::{Error as IoError, ErrorKind, Read};

    use parquet::record::reader::RowIter;
    use parquet::record::{Field, Row};

    /// Rows that become text as it is read.
    pub struct Csv {
        rows: RowIter<'static>,
        /// The last line, of which the bytes from `next` on are not handed out yet.
        line: String,
        next: usize,
    }

    impl Csv {
        /// The rows after a first line.
        pub fn new(header: String, rows: RowIter<'static>) -> Self {
            Self { rows, line: header, next: 0 }
        }
    }

    impl Read for Csv {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.next == self.line.len() {
                let Some(row) = self.rows.next() else { return Ok(0) };
                let row = row.map_err(|error| IoError::new(ErrorKind::InvalidData, error))?;
                (self.line, self.next) = (line(&row), 0);
            }
            let rest = &self.line.as_bytes()[self.next..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.next += count;
            Ok(count)
        }
    }

    fn line(row: &Row) -> String {
        let mut line = String::new();
        for (_, field) in row.get_column_iter() {
            push(&mut line, |line| push_field(line, field));
        }
        line.push('\n');
        line
    }

    /// Adds a field to a line.
    pub fn push(line: &mut String, add: impl FnOnce(&mut String)) {
        if !line.is_empty() {
            line.push(',');
        }
        add(line);
    }

    fn push_field(line: &mut String, field: &Field) {
        const DAY: i64 = 86_400;
        match field {
            Field::Null => push_text(line, ""),
            Field::Double(value) if value.is_nan() => push_text(line, ""),
            Field::Float(value) if value.is_nan() => push_text(line, ""),
            Field::Bool(value) => line.push(if *value { '1' } else { '0' }),
            Field::Str(text) => push_text(line, text),
            Field::Bytes(bytes) => push_text(line, &String::from_utf8_lossy(bytes.data())),
            Field::Date(days) => line.push_str(&(i64::from(*days) * DAY).to_string()),
            Field::TimestampMillis(time) => line.push_str(&time.div_euclid(1000).to_string()),
            Field::TimestampMicros(time) => line.push_str(&time.div_euclid(1_000_000).to_string()),
            Field::Double(value) => line.push_str(&value.to_string()),
            Field::Float(value) => line.push_str(&value.to_string()),
            number => line.push_str(&number.to_string()),
        }
    }

    /// Adds a text in quotes, so that it can hold commas; also one without characters, which so is told from no line.
    pub fn push_text(line: &mut String, text: &str) {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
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
            assert!(error.contains("r.csv: is a Parquet file") && error.contains("--features parquet"), "{error}");
        }
    }

    #[cfg(feature = "parquet")]
    mod built_in {
        use std::sync::Arc;

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

        const CSV: &str =
            "\"user\",\"movieId\",\"rating\",\"timestamp\"\n\"a, \"\"b\"\"\",7,4.5,5\n\"ä\",8,-1,6\n\"c\",9,\"\",0\n";

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
