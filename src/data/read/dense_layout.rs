//! Whether the first line of a table is a header, and what its columns hold: as said, or as the first lines look.

use super::delimited::Role;
use super::missing::Markers;
use super::shared_keys::HeaderLine;
use super::text::{parse_number, shown};

/// What a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// The ids of the rows.
    Label,
    /// The classes of the rows.
    Class,
    /// Cells.
    Data,
    /// Something else, which is left out.
    Nothing,
}

/// Stands for as many of the word before it in `data.columns` as the table needs.
const AND_SO_ON: &str = "...";

/// Of a table with a first line like this, where its cells are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TableLayout {
    /// What each column holds.
    pub holds: Vec<Holds>,
    /// What the first line calls each column; `None` if it is data. A corner that was left out is empty.
    pub names: Option<Vec<String>>,
    /// What may have been taken for something else.
    pub doubts: Vec<String>,
}

impl TableLayout {
    /// The layout of a table that begins with the lines `sample`, cut into fields.
    ///
    /// # Errors
    /// What is wrong with the table or `columns`, and in which line of the sample.
    pub fn of(
        sample: &[Vec<String>],
        header: HeaderLine,
        columns: Option<&[String]>,
        class: Option<usize>,
        markers: &Markers,
    ) -> Result<Self, (usize, String)> {
        let has_header = match header {
            HeaderLine::Yes => true,
            HeaderLine::No => false,
            HeaderLine::Auto => is_header(sample, markers),
        };
        let (names, rows) = match sample.split_first() {
            Some((first, rows)) if has_header => (Some(first.clone()), rows),
            _ => (None, sample),
        };
        let first_row = usize::from(has_header);
        let wrong = |message| (first_row, message);
        let Some(width) = rows.first().map(Vec::len) else {
            return Ok(Self { holds: Vec::new(), names: None, doubts: Vec::new() });
        };
        let names = names.map(|names| aligned(names, width)).transpose().map_err(wrong)?;
        let (holds, doubts) = match columns {
            Some(words) => {
                let mut holds = spelled_out(words, width).map_err(wrong)?;
                take_class(&mut holds, class, 1).map_err(wrong)?;
                (holds, Vec::new())
            }
            None => {
                let mut holds = guessed(names.as_deref(), rows, markers, class);
                let least = 1 + usize::from(holds[0] == Holds::Label);
                take_class(&mut holds, class, least).map_err(wrong)?;
                refuse_text(&holds, names.as_deref(), rows, markers).map_err(wrong)?;
                let doubts = doubts(&holds, names.as_deref(), rows);
                (holds, doubts)
            }
        };
        if !holds.contains(&Holds::Data) {
            return Err(wrong("no column holds data; name those that do \"data\" in data.columns".into()));
        }
        Ok(Self { holds, names, doubts })
    }

    /// The column that holds `what`, from 0.
    pub fn column(&self, what: Holds) -> Option<usize> {
        self.holds.iter().position(|holds| *holds == what)
    }

    /// `column 2 "Entrez_Gene_Id"`.
    pub fn described(&self, column: usize) -> String {
        described(self.names.as_deref(), column)
    }

    /// What was taken for what, for people.
    pub fn taken(&self) -> String {
        let rows = match self.column(Holds::Label) {
            Some(column) => format!("rows are called as in {}", self.described(column)),
            None => "rows are numbered".into(),
        };
        let columns = match self.names {
            Some(_) => "columns as in the first line",
            None => "columns are numbered, since the first line is taken for data",
        };
        let class = self.column(Holds::Class).map(|column| format!("; {} is the class", self.described(column)));
        let left_out: Vec<String> = (0..self.holds.len())
            .filter(|&column| self.holds[column] == Holds::Nothing)
            .map(|column| self.described(column))
            .collect();
        let left_out = match left_out.len() {
            0 => String::new(),
            1 => format!("; {} is left out", left_out[0]),
            2..=5 => format!("; {} are left out", left_out.join(", ")),
            count => format!("; {}, … ({count} columns) are left out", left_out[..3].join(", ")),
        };
        let remedy = "; if that is wrong, set data.header and data.columns";
        format!("{rows}, {columns}{}{left_out}{remedy}", class.unwrap_or_default())
    }
}

fn described(names: Option<&[String]>, column: usize) -> String {
    match names.map(|names| names[column].as_str()).filter(|name| !name.is_empty()) {
        Some(name) => format!("column {} {name:?}", column + 1),
        None => format!("column {}", column + 1),
    }
}

/// A name for each of `width` columns; those of R leave out the corner.
fn aligned(mut names: Vec<String>, width: usize) -> Result<Vec<String>, String> {
    if names.len() + 1 == width {
        names.insert(0, String::new());
    }
    if names.len() == width {
        Ok(names)
    } else {
        Err(format!("expected {} fields as in the first line, found {width}", names.len()))
    }
}

/// What `words` of `data.columns` say of each of `width` columns.
fn spelled_out(words: &[String], width: usize) -> Result<Vec<Holds>, String> {
    let mut holds = Vec::new();
    for (at, word) in words.iter().enumerate() {
        holds.push(match word.as_str() {
            "label" => Holds::Label,
            "class" => Holds::Class,
            "data" => Holds::Data,
            "-" => Holds::Nothing,
            AND_SO_ON if at > 0 && !words[..at].iter().any(|word| word == AND_SO_ON) => {
                let others = words.len() - 2;
                let Some(&repeated) = holds.last() else { unreachable!("a word stands before it") };
                holds.pop();
                holds.extend(std::iter::repeat_n(repeated, width.saturating_sub(others)));
                continue;
            }
            AND_SO_ON => return Err(format!("data.columns: {AND_SO_ON:?} stands once, after the word that it repeats")),
            _ => {
                return Err(format!(
                    "data.columns: unknown word {word:?}; of a table, use \"label\", \"class\", \"data\", \"-\" to leave a \
                     column out, and {AND_SO_ON:?} to repeat the word before it"
                ));
            }
        });
    }
    for (what, name) in [(Holds::Label, "label"), (Holds::Class, "class")] {
        if holds.iter().filter(|&&holds| holds == what).count() > 1 {
            return Err(format!("data.columns: only one column is the {name}; name the others \"-\""));
        }
    }
    if holds.len() != width {
        return Err(format!(
            "data.columns names {} columns, and the table has {width}; {AND_SO_ON:?} repeats the word before it as often as \
             needed, as in [\"label\", \"data\", {AND_SO_ON:?}]",
            holds.len()
        ));
    }
    Ok(holds)
}

/// Makes `data.class_column` the class.
fn take_class(holds: &mut [Holds], class: Option<usize>, least: usize) -> Result<(), String> {
    let Some(class) = class else { return Ok(()) };
    if class < least || class > holds.len() {
        return Err(format!("column {class} cannot hold the class: it is from {least} to {}", holds.len()));
    }
    if holds.iter().enumerate().any(|(at, &holds)| holds == Holds::Class && at + 1 != class) {
        return Err("data.class_column and data.columns name two columns of classes; remove one".into());
    }
    holds[class - 1] = Holds::Class;
    Ok(())
}

/// The number in a cell, if it is nothing else.
fn number(cell: &str) -> Option<f32> {
    parse_number(cell.as_bytes()).filter(|number| number.is_finite())
}

/// Whether a cell can only be a label.
fn is_label(cell: &str, markers: &Markers) -> bool {
    !markers.mark(cell.as_bytes()) && parse_number(cell.as_bytes()).is_none()
}

/// Whether a column holds text alone, but for missing cells.
fn is_text(rows: &[Vec<String>], column: usize, markers: &Markers) -> bool {
    let mut cells = cells_of(rows, column).filter(|cell| !markers.mark(cell.as_bytes())).peekable();
    cells.peek().is_some() && cells.all(|cell| is_label(cell, markers))
}

/// The cells of a column, in those rows that reach to it.
fn cells_of(rows: &[Vec<String>], column: usize) -> impl Iterator<Item = &String> {
    rows.iter().filter_map(move |row| row.get(column))
}

/// Whether all of these are whole numbers, and no two the same.
fn are_whole_and_different<'a>(cells: impl Iterator<Item = &'a String>) -> Option<Vec<i64>> {
    let numbers: Vec<i64> = cells
        .map(|cell| number(cell).filter(|number| number.fract() == 0.0).map(|number| number as i64))
        .collect::<Option<_>>()?;
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    sorted.array_windows().all(|[a, b]| a != b).then_some(numbers)
}

/// Whether numbers may be the names of columns: one more each time, or years.
fn count_up(cells: &[String]) -> bool {
    let Some(numbers) = are_whole_and_different(cells.iter()) else { return false };
    let by_one = numbers.array_windows().all(|[a, b]| a + 1 == *b);
    let years = numbers.iter().all(|number| (1500..2200).contains(number)) && numbers.is_sorted();
    numbers.len() > 1 && (by_one || years)
}

/// What the letters and digits of a label look like: `a9` for `abc12`.
fn shape(label: &str) -> String {
    let class = |c: char| match c {
        c if c.is_numeric() => '9',
        c if c.is_uppercase() => 'A',
        c if c.is_alphabetic() => 'a',
        c => c,
    };
    let mut shape: Vec<char> = label.chars().map(class).collect();
    shape.dedup();
    shape.into_iter().collect()
}

/// What headers call the rows of tables.
const KINDS: [&str; 32] = [
    "gene",
    "symbol",
    "probe",
    "probeset",
    "transcript",
    "protein",
    "sample",
    "patient",
    "subject",
    "cell",
    "barcode",
    "feature",
    "variable",
    "term",
    "word",
    "document",
    "doc",
    "row",
    "record",
    "name",
    "label",
    "country",
    "state",
    "city",
    "region",
    "station",
    "species",
    "compound",
    "year",
    "date",
    "time",
    "month",
];

/// The words of a name, in lower case: `entrez`, `gene` and `id` of `entrezGene_ID`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || after_lower && c.is_uppercase() {
            words.push(String::new());
        }
        after_lower = c.is_lowercase();
        if c.is_alphanumeric() {
            words.last_mut().expect("one at least").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a column called so holds ids or the numbers of rows: `id`, `Entrez_Gene_Id`, `Unnamed: 0`.
fn names_ids(name: &str) -> bool {
    let words = words_of(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] | ["index" | "rownames" | "rowname" | "rowid"] | ["row", "names" | "name"] => true,
        ["unnamed", ref numbers @ ..] => numbers.concat().bytes().all(|byte| byte.is_ascii_digit()),
        [.., "id" | "ids" | "identifier" | "accession" | "entrez"] => true,
        [.., last] => last.strip_suffix("id").is_some_and(|kind| KINDS.contains(&kind)),
    }
}

/// Whether the text in the corner of a table can only be a header's.
fn is_corner(text: &str) -> bool {
    let words = words_of(text);
    let is_kind =
        |word: &String| KINDS.contains(&word.strip_suffix('s').unwrap_or(word)) || KINDS.contains(&word.as_str());
    names_ids(text) || Role::of(text).is_some() || words.last().is_some_and(is_kind)
}

/// Whether the first of these lines is a header.
fn is_header(sample: &[Vec<String>], markers: &Markers) -> bool {
    let is_label = |cell: &String| is_label(cell, markers);
    let Some((first, rows)) = sample.split_first() else { return false };
    let width = rows.first().map_or(0, Vec::len);
    // R leaves out the corner.
    if first.len() + 1 == width && rows.iter().all(|row| row.len() == width) {
        return true;
    }
    // The first field may be the corner, which can hold anything.
    let from = first.len().min(2) - 1;
    let (corner, others) = (&first[0], &first[from..]);
    if others.iter().all(is_label) {
        return true;
    }
    if rows.is_empty() || from == 0 || rows.iter().any(|row| row.len() != first.len()) {
        return false;
    }
    // Text above numbers.
    let above_numbers = |column: usize| {
        is_label(&first[column])
            && rows.iter().all(|row| !is_label(&row[column]))
            && rows.iter().any(|row| number(&row[column]).is_some())
    };
    if (1..first.len()).any(above_numbers) {
        return true;
    }
    let numbers: Vec<Option<f32>> = others.iter().map(|cell| number(cell)).collect();
    let is_repeated = |(at, number): (usize, &Option<f32>)| number.is_none() || numbers[..at].contains(number);
    if numbers.iter().enumerate().any(is_repeated) {
        return false;
    }
    let labels = || rows.iter().map(|row| &row[0]);
    if corner.is_empty() {
        return labels().any(|label| !markers.mark(label.as_bytes()));
    }
    let alike = || rows.iter().filter(|row| count_up(&row[1..])).count();
    is_label(corner)
        && labels().all(is_label)
        && (is_corner(corner)
            || count_up(others) && 2 * alike() < rows.len() && labels().all(|label| shape(label) != shape(corner)))
}

/// What the columns of a table seem to hold, beside the class.
fn guessed(names: Option<&[String]>, rows: &[Vec<String>], markers: &Markers, class: Option<usize>) -> Vec<Holds> {
    let width = rows[0].len();
    let mut holds = vec![Holds::Data; width];
    // Annotation stands before the cells, but ids are known anywhere.
    let mut leading = true;
    for column in (0..width).filter(|column| class != Some(column + 1)) {
        let name = names.map(|names| names[column].as_str());
        let is_empty = cells_of(rows, column).all(|cell| markers.mark(cell.as_bytes()));
        if is_empty && name == Some("") && column > 0 {
            // What the separator at the end of each line makes.
            holds[column] = Holds::Nothing;
            continue;
        }
        let is_of_users = column == 0 && name.is_some_and(|name| Role::of(name) == Some(Role::User));
        let is_named = !is_empty && (is_of_users || name.is_some_and(names_ids));
        let is_first_text = column == 0 && is_label(&rows[0][0], markers);
        leading &= is_first_text || is_named || is_text(rows, column, markers);
        if leading || is_named {
            let is_taken = holds.contains(&Holds::Label);
            holds[column] = if is_taken { Holds::Nothing } else { Holds::Label };
        }
    }
    // A table of ids alone is a table.
    if !holds.contains(&Holds::Data) {
        holds[width - 1] = Holds::Data;
    }
    holds
}

/// Refuses a column of text that is taken for data.
fn refuse_text(
    holds: &[Holds],
    names: Option<&[String]>,
    rows: &[Vec<String>],
    markers: &Markers,
) -> Result<(), String> {
    let is_wrong = |&column: &usize| holds[column] == Holds::Data && is_text(rows, column, markers);
    let Some(column) = (0..holds.len()).find(is_wrong) else { return Ok(()) };
    let cell = cells_of(rows, column).find(|cell| is_label(cell, markers)).map_or("", String::as_str);
    Err(format!(
        "{} holds text, such as {}; say in data.columns what it is: \"label\", \"class\" or \"-\" to leave it out, as in \
         [\"data\", {AND_SO_ON:?}, \"class\"] for the last",
        described(names, column),
        shown(cell.as_bytes())
    ))
}

/// Columns of data that look like something else.
fn doubts(holds: &[Holds], names: Option<&[String]>, rows: &[Vec<String>]) -> Vec<String> {
    if rows.len() < 3 {
        return Vec::new();
    }
    let data: Vec<usize> = (0..holds.len()).filter(|&column| holds[column] == Holds::Data).collect();
    let cells = |column: usize| cells_of(rows, column);
    let has_fractions =
        |column: usize| cells(column).any(|cell| number(cell).is_some_and(|number| number.fract() != 0.0));
    let whole: Vec<usize> =
        data.iter().copied().filter(|&column| are_whole_and_different(cells(column)).is_some()).collect();
    let fractions = data.iter().filter(|&&column| has_fractions(column)).count();
    let values = |column: usize| cells(column).filter_map(|cell| number(cell));
    // Half of the numbers are beyond all that the other columns hold.
    let is_large = |column: usize| {
        let others = data.iter().filter(|&&other| other != column).flat_map(|&other| values(other));
        let most = others.fold(f32::NEG_INFINITY, f32::max);
        2 * values(column).filter(|&value| value > most).count() > rows.len()
    };
    let what = match (data.as_slice(), whole.as_slice()) {
        ([first, _, ..], [wholes, ..]) if first == wholes && is_count(cells(*first)) => {
            "counts the rows, as an index does"
        }
        ([_, _, ..], &[only]) if fractions + 1 == data.len() && is_large(only) => {
            "is the only one of whole numbers, all different and most of them beyond all others, as ids are"
        }
        _ => return Vec::new(),
    };
    let column = described(names, whole[0]);
    vec![format!(
        "{column} {what}, and is taken for data; if it is no data, name it \"label\" or \"-\" in data.columns"
    )]
}

/// Whether cells are 0, 1, 2, … or 1, 2, 3, …
fn is_count<'a>(cells: impl Iterator<Item = &'a String>) -> bool {
    let Some(numbers) = are_whole_and_different(cells) else { return false };
    numbers.first().is_some_and(|first| [0, 1].contains(first)) && numbers.array_windows().all(|[a, b]| a + 1 == *b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &str) -> Vec<Vec<String>> {
        text.lines().map(|line| line.split(',').map(Into::into).collect()).collect()
    }

    fn layout(text: &str) -> TableLayout {
        TableLayout::of(&sample(text), HeaderLine::Auto, None, None, &Markers::of(None)).unwrap()
    }

    /// `L` for a label, `C` for a class, `d` for data, `-` for what is left out.
    fn letters(holds: &[Holds]) -> String {
        let letter = |holds: &Holds| match holds {
            Holds::Label => 'L',
            Holds::Class => 'C',
            Holds::Data => 'd',
            Holds::Nothing => '-',
        };
        holds.iter().map(letter).collect()
    }

    #[test]
    fn headers_of_numbers_are_known_by_their_corner() {
        for header in [
            ",0,1,2\n0,5.0,1.0,2.0\n1,3.0,4.0,0.5",
            ",400.5,401,401.5\nx,5.0,1.0,2.0\ny,3.0,4.0,0.5",
            "gene,2001,2002,2003\nABC1,5,1,2\nXYZ2,3,4,5",
            "gene,77,12,45\nABC1,5,1,2\nXYZ2,3,4,5",
            "Country Name,1990,2000,2010\nFrance,5,1,2\nPeru,3,4,5",
            "patient id,8,9,10\np1,5,1,2\np2,3,4,5",
            "wind,1,2,3\nNW-12,5,1,2\nSE-4,3,4,9",
            "t,2001,2002,total\nABC1,5,1,6\nXYZ2,3,4,7",
            "0,1,2\nx,5,1,2\ny,3,4,5",
        ] {
            assert!(layout(header).names.is_some(), "{header}");
        }
        for data in [
            "1,2\n3,4",
            "u,1,2\n7,3,4",
            "A,1,2\nB,3,5\nC,7,1",
            "ABC1,5,1,2\nXYZ2,3,4,0.5",
            "x9,1,2,3\ny8,4,5,6\nz7,7,8,9",
            "1,NA\n,4\nnan,?",
            ",1,1\n2,3,4",
        ] {
            assert!(layout(data).names.is_none(), "{data}");
        }
    }

    #[test]
    fn the_header_can_be_said() {
        let table = sample("1,2\n3,4\n5,6");
        let said = |header| TableLayout::of(&table, header, None, None, &Markers::of(None)).unwrap().names;
        assert_eq!((said(HeaderLine::Yes), said(HeaderLine::No)), (Some(vec!["1".into(), "2".into()]), None));
        let labels = sample("a,b\nc,d");
        assert_eq!(
            TableLayout::of(&labels, HeaderLine::No, Some(&["label".into(), "data".into()]), None, &Markers::of(None))
                .unwrap()
                .names,
            None
        );
    }

    #[test]
    fn labels_ids_and_annotation_are_no_data() {
        for (table, expected) in [
            ("id,f1,f2\n101,5,3\n102,1,2", "Ldd"),
            ("Unnamed: 0,f1,f2\n0,5,3\n1,1,2", "Ldd"),
            ("Hugo_Symbol,Entrez_Gene_Id,T1,T2\nTP53,7157,3.5,5.2\nMYC,4609,5.5,6.2", "L-dd"),
            ("symbol,description,chromosome,T1,T2\na,one,X,1,2\nb,two,Y,3,4", "L--dd"),
            ("symbol,GeneID,T1,T2\na,11,1,2\nb,12,3,4", "L-dd"),
            ("T1,T2,patientId\n1.5,2,11\n3,4,12", "ddL"),
            ("name,T1,row_id\na,1,2\nb,3,4", "Ld-"),
            ("Unnamed: 0.1,Unnamed: 0,a,b\n0,0,5,3\n1,1,1,2", "L-dd"),
            ("paid,acid,valid\n1,2,3\n4,5,6", "ddd"),
            ("refractive index,fluid\n1,2\n4,5", "dd"),
            ("5,3\n1,2", "dd"),
            ("x,tumour,3\ny,normal,2", "L-d"),
            ("a,b\n1,2\n3,x", "dd"),
            ("t,u,v\n1,2,3\n4,5,6", "ddd"),
            ("u,v\n1,2\n4,5", "Ld"),
            ("a,b,\n1,2,\n3,4,", "dd-"),
            ("id\n1\n2", "d"),
        ] {
            assert_eq!(letters(&layout(table).holds), expected, "{table}");
        }
    }

    #[test]
    fn text_among_the_cells_is_asked_about() {
        let found = |table: &str, class| {
            TableLayout::of(&sample(table), HeaderLine::Auto, None, class, &Markers::of(None))
                .map_err(|(_, message)| message)
        };
        let iris = "length,width,species\n5.1,3.5,setosa\n6.2,2.9,virginica";
        let error = found(iris, None).unwrap_err();
        assert!(
            error.starts_with("column 3 \"species\" holds text, such as \"setosa\"; say in data.columns"),
            "{error}"
        );
        assert_eq!(letters(&found(iris, Some(3)).unwrap().holds), "ddC");
        assert!(found("1,2,x\n3,4,y", None).unwrap_err().starts_with("column 3 holds text, such as \"x\""));
    }

    #[test]
    fn what_may_be_no_data_is_told() {
        for (table, expected) in [
            ("0,5,3\n1,1,2\n2,4,4", Some("column 1 counts the rows")),
            ("nr,a,b\n1,1.5,2\n2,4,2\n3,4,1.5", Some("column 1 \"nr\" counts the rows")),
            ("gene,entry,a,b\nx,7157,1.5,2.5\ny,2597,4.5,2.5\nz,60,4,1.5", Some("column 2 \"entry\" is the only one")),
            ("5,1,2\n3,4,5\n2,2,6", None),
            ("5.5,1,2.5\n3.5,4,0.5\n2.5,2,6.5", None),
            ("0,5\n1,1", None),
            ("a\n1\n2\n3", None),
        ] {
            let doubts = layout(table).doubts;
            assert_eq!(doubts.len(), usize::from(expected.is_some()), "{table}: {doubts:?}");
            assert!(doubts.iter().zip(expected).all(|(doubt, expected)| doubt.starts_with(expected)), "{doubts:?}");
        }
    }

    #[test]
    fn columns_can_be_spelled_out() {
        let holds = |words: &[&str], class| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            let found = TableLayout::of(&sample("1,2,3,4"), HeaderLine::Auto, Some(&words), class, &Markers::of(None));
            found.map(|layout| letters(&layout.holds)).map_err(|(_, message)| message)
        };
        for (words, class, expected) in [
            (&["label", "-", "data", "data"][..], None, "L-dd"),
            (&["label", "data", "..."], None, "Lddd"),
            (&["data", "...", "class"], None, "dddC"),
            (&["-", "...", "data"], None, "---d"),
            (&["label", "class", "-", "data", "..."], None, "LC-d"),
            (&["data", "..."], Some(2), "dCdd"),
            (&["label", "data", "data", "class", "-", "..."], None, "LddC"),
        ] {
            assert_eq!(holds(words, class).unwrap(), expected, "{words:?}");
        }
        for (words, class, expected) in [
            (&["data", "data"][..], None, "data.columns names 2 columns, and the table has 4; \"...\" repeats"),
            (&["label", "label", "data", "..."], None, "data.columns: only one column is the label"),
            (&["...", "data"], None, "data.columns: \"...\" stands once, after the word"),
            (&["data", "...", "-", "..."], None, "data.columns: \"...\" stands once, after the word"),
            (&["user", "data", "..."], None, "data.columns: unknown word \"user\"; of a table, use \"label\""),
            (&["label", "-", "..."], None, "no column holds data"),
            (&["class", "data", "..."], Some(2), "data.class_column and data.columns name two columns of classes"),
            (&["data", "..."], Some(5), "column 5 cannot hold the class: it is from 1 to 4"),
        ] {
            let error = holds(words, class).unwrap_err();
            assert!(error.starts_with(expected), "{words:?}: {error}");
        }
    }

    #[test]
    fn what_was_taken_for_what_is_told() {
        assert_eq!(
            layout("Hugo_Symbol,Entrez_Gene_Id,T1\nTP53,7157,3.5\nMYC,4609,5.5").taken(),
            "rows are called as in column 1 \"Hugo_Symbol\", columns as in the first line; column 2 \"Entrez_Gene_Id\" is \
             left out; if that is wrong, set data.header and data.columns"
        );
        assert!(layout("5,1\n3,4").taken().starts_with(
            "rows are numbered, columns are numbered, since the first line is taken for data; if that is wrong"
        ));
    }
}
