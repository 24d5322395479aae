//! Purchases: a line of an order each, with who bought what, when, how many and for how much.

use std::collections::HashMap;
use std::path::Path;

use super::bad_lines::BadLines;
use super::delimited::{self, Delimited};
use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::roles::Role;
use super::shared_keys::{
    HeaderLine, TIME_FORMAT, bad_lines_key, check_time_format, columns_key, delimiter_key, header_key, skip_key,
    time_format_key,
};
use super::text::{Lines, finite_number, listed, splitter};
use crate::config::words::joined;
use crate::config::{Key, KeyKind, Keys, Problem, Values, is};
use crate::data::interactions::check_count;
use crate::data::times::{is_fine, seconds};
use crate::data::{CellValue, Dataset, FieldId, ITEM, Purchases, UNKNOWN, USER};
use crate::error::{Error, Location, Result};
use crate::tables::grouped;

/// A file with a line of an order each: user, item and time, and if there are any quantity, price and the order itself. Cells of
/// users and items are counted from them, and the lines are kept as [`Purchases`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OrderLines {
    /// What stands between fields; `None` detects it. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// What the columns hold: `"user"`, `"item"`, `"timestamp"`, `"quantity"` (1 if absent), `"price"` of a piece (1 if absent),
    /// `"order"` (if absent, what a user bought at one moment), or `"-"` to skip one. `None` goes by the header.
    pub columns: Option<Vec<String>>,
    /// Lines at the start of the file to leave out.
    pub skip_lines: usize,
    /// Whether the first line names the columns.
    pub header: HeaderLine,
    /// How times are written, in the conversions of `strftime`; `None` for seconds since 1970 and dates that begin with the year.
    pub time_format: Option<String>,
    /// What becomes of lines without a user, an item, a time or a number.
    pub bad_lines: BadLines,
    /// What cells hold.
    pub cells: CellValue,
    /// Items that are none, such as postage: their lines are left out.
    pub excluded: Vec<String>,
}

const QUANTITY: &str = "quantity";
const PRICE: &str = "price";
const ORDER: &str = "order";
/// What a column can be called, those that must be there first.
const WORDS: [&str; 6] = ["user", "item", "timestamp", QUANTITY, PRICE, ORDER];
const REQUIRED: usize = 3;

/// What a column of this name holds, one of [`WORDS`].
fn word_of(name: &str) -> Option<&'static str> {
    let squashed: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let name = squashed.as_str();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let is_order = |stem: &str| matches!(stem, "order" | "invoice" | "basket" | "transaction" | "receipt" | "bill");
    let of_ids = ["id", "no", "nr", "number"].into_iter().filter_map(|end| name.strip_suffix(end));
    match name {
        _ if is_order(name) || of_ids.into_iter().any(is_order) => Some(ORDER),
        _ if ends(&["date", "time", "timestamp"]) => Some("timestamp"),
        "quantity" | "qty" | "pieces" | "units" => Some(QUANTITY),
        _ if name.ends_with("price") => Some(PRICE),
        "description" | "stockcode" | "productname" | "itemname" | "itemdescription" => Some("item"),
        _ => match Role::of(&squashed)? {
            Role::User => Some("user"),
            Role::Item => Some("item"),
            Role::Timestamp => Some("timestamp"),
            Role::Rating | Role::Title => None,
        },
    }
}

/// What the columns of a header hold, a word each; as a text what is missing.
fn words_of(names: &[String]) -> Result<Vec<String>, String> {
    let found: Vec<Option<&str>> = names.iter().map(|name| word_of(name)).collect();
    for (at, word) in WORDS.into_iter().enumerate() {
        let fitting: Vec<String> = (0..names.len())
            .filter(|&column| found[column] == Some(word))
            .map(|column| format!("column {} {:?}", column + 1, names[column]))
            .collect();
        let fitting: Vec<&str> = fitting.iter().map(String::as_str).collect();
        let answer = "data.columns, a word a column, as in [\"order\", \"item\", \"quantity\", \"timestamp\", \"price\", \"user\"], \
                      with \"-\" for one to skip";
        match fitting.len() {
            0 if at < REQUIRED => {
                return Err(format!("no column of {} is known to be the {word}; say which in {answer}", listed(names)));
            }
            0 | 1 => {}
            _ => return Err(format!("{} can each be the {word}; say which in {answer}", joined(&fitting, "and"))),
        }
    }
    Ok(found.into_iter().map(|word| word.unwrap_or("-").into()).collect())
}

impl OrderLines {
    /// How the list that these lines are is read: quantities are its ratings, prices and orders its context.
    fn list(&self, lines: &mut Lines) -> Result<Delimited> {
        let (mut columns, mut header) = (self.columns.clone().unwrap_or_default(), self.header);
        if self.columns.is_none() {
            let mut splitter = splitter(self.delimiter.as_deref(), lines)?;
            let first: Option<Vec<String>> =
                splitter.next(lines)?.map(|row| row.texts().into_iter().map(Into::into).collect());
            if let Some(names) = first {
                columns = words_of(&names).map_err(|what| lines.current().error(what))?;
                lines.again();
                header = HeaderLine::Yes;
            }
        }
        let context = [PRICE, ORDER].into_iter().filter(|word| columns.iter().any(|column| column == word));
        let context = context.map(Into::into).collect();
        for column in &mut columns {
            match column.as_str() {
                QUANTITY => *column = "rating".into(),
                // Quantities are not called so here.
                "rating" => {
                    let message = "columns: unknown name \"rating\"; of purchases, say \"quantity\"";
                    return Err(Error::Usage(message.into()));
                }
                _ => {}
            }
        }
        if !columns.is_empty() && !columns.iter().any(|column| column == "timestamp") {
            let message =
                "columns: name one \"timestamp\": orders, and how long ago the last one was, are known by the time";
            return Err(Error::Usage(message.into()));
        }
        Ok(Delimited {
            delimiter: self.delimiter.clone(),
            columns: Some(columns),
            context,
            skip_lines: self.skip_lines,
            header,
            time_format: self.time_format.clone(),
            bad_lines: self.bad_lines,
        })
    }

    /// The price that each price column's text names; `None` without such a column.
    fn prices(list: &Dataset) -> Option<(FieldId, Vec<Option<f32>>)> {
        let field = FieldId(list.fields.iter().position(|field| field.name == PRICE)?);
        Some((field, list.entity(field).ids.ids().map(|price| finite_number(price.as_bytes())).collect()))
    }

    /// Adds the lines of `list` to `dataset` and counts the cells.
    fn count(&self, path: &Path, list: &Dataset, dataset: &mut Dataset) -> Result<()> {
        let lines = &list.interactions;
        let times: Vec<i64> = lines.timestamps.iter().flatten().map(|&time| seconds(time)).collect();
        let prices = Self::prices(list);
        let order_field = list.fields.iter().position(|field| field.name == ORDER).map(FieldId);
        let mut purchases = Purchases { value: self.cells, ..Purchases::default() };
        let mut orders: HashMap<(u32, i64), u32> = HashMap::new();
        let [mut excluded, mut without_price, mut returned] = [0_u64; 3];
        for (at, &quantity) in lines.targets.iter().enumerate() {
            let row = |field: FieldId| lines.column(field)[at];
            let id = |field: FieldId| list.entity(field).ids.id(row(field) as usize);
            if self.excluded.iter().any(|item| item == id(ITEM)) {
                excluded += 1;
                continue;
            }
            let price = match &prices {
                None => 1.0,
                Some((field, prices)) => {
                    let price = prices.get(row(*field) as usize).copied().flatten();
                    let Some(price) = price else {
                        if self.bad_lines == BadLines::Skip {
                            without_price += 1;
                            continue;
                        }
                        return Err(self.error_of_price(path, [id(USER), id(ITEM)]));
                    };
                    price
                }
            };
            // Where an order has no id, what somebody bought at one moment is one.
            let order = order_field.map(row).filter(|&order| order != UNKNOWN).map_or(times[at], i64::from);
            let next = orders.len() as u32;
            let pair = dataset.pair_mut();
            purchases.customers.push(pair.users.insert(id(USER)));
            purchases.products.push(pair.items.insert(id(ITEM)));
            purchases.orders.push(*orders.entry((row(USER), order)).or_insert(next));
            purchases.times.push(times[at]);
            purchases.quantities.push(quantity);
            purchases.spend.push(f64::from(quantity) * f64::from(price));
            returned += u64::from(quantity <= 0.0);
        }
        let mut cells = purchases.cells();
        if cells.is_empty() {
            return Err(Error::data(
                path,
                "holds nothing that was bought and not brought back; expected one line at least",
            ));
        }
        check_count(path, cells.len())?;
        cells.shrink_to_fit();
        let (users, items) = (dataset.users().len(), dataset.items().len());
        if lines.timestamps.iter().flatten().any(|&time| is_fine(time)) {
            let told = "times so large are taken for milliseconds, microseconds or nanoseconds";
            dataset.notes.push(format!("{}: {told}", path.display()));
        }
        if prices.is_none() {
            dataset.notes.push(format!("{}: there is no column of prices: spend is counted in pieces", path.display()));
        }
        for item in self.excluded.iter().filter(|item| list.items().index(item).is_none()) {
            dataset.notes.push(format!("{}: data.exclude names {item:?}, which no line has", path.display()));
        }
        let counted = |count: u64, what: &str| match count {
            0 => String::new(),
            _ => format!("; {} {what}", grouped(count)),
        };
        dataset.notes.push(format!(
            "{}: {} lines of {} orders of {} customers and {} products{}{}{}",
            path.display(),
            grouped(purchases.len() as u64),
            grouped(orders.len() as u64),
            grouped(users as u64),
            grouped(items as u64),
            counted(returned, "bring something back"),
            counted(excluded, "are of data.exclude and left out"),
            counted(without_price, "have no price and are left out"),
        ));
        dataset.interactions = cells;
        dataset.purchases = Some(purchases);
        Ok(())
    }

    fn error_of_price(&self, path: &Path, [user, item]: [&str; 2]) -> Error {
        let line = self.lines_of(path, user, item).ok().and_then(|lines| lines.first().copied()).unwrap_or(0);
        let message = format!(
            "a purchase of {item} by {user} has a price that is no number; give one or remove the line, or set \
             data.bad_lines = \"skip\""
        );
        Error::Data { location: Location::at(path, line, 0), message }
    }
}

impl Reader for OrderLines {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        let mut list = Dataset::default();
        let hash = read_lines(path, self.skip_lines, |mut lines| {
            let options = self.list(&mut lines)?;
            delimited::read(lines, &options, &mut list)
        })?;
        dataset.notes.append(&mut list.notes);
        self.count(path, &list, dataset)?;
        Ok(hash)
    }

    fn lines_of(&self, path: &Path, user: &str, item: &str) -> Result<Vec<u64>> {
        let mut list = Delimited::default();
        read_lines(path, self.skip_lines, |mut lines| {
            list = self.list(&mut lines)?;
            Ok(())
        })?;
        list.lines_of(path, user, item)
    }

    /// Cells are counted from the lines; beside them lies no test file.
    fn is_list(&self) -> bool {
        false
    }
}

/// The key of [`OrderLines::cells`].
const CELLS: &str = "data.cells";
/// The key of [`OrderLines::excluded`].
const EXCLUDE: &str = "data.exclude";

impl ReaderPart for OrderLines {
    const NAME: &'static str = "purchases";

    fn keys() -> Keys {
        let whole = || is("data.format", [Self::NAME]);
        let cells = "What a user bought of an item, as a number: 1, the orders it was in, pieces, or spend, what came back taken \
                     off; or ln(1 + x) of one of these.";
        let exclude = "Items that are none, such as postage or a voucher: their lines are left out.";
        let cells = Key::new(CELLS, KeyKind::choice(CellValue::NAMES.iter().copied()), cells)
            .default(&format!("'{}'", CellValue::default()));
        Keys::new([delimiter_key(), header_key(), columns_key(), time_format_key(), skip_key(), bad_lines_key(), cells])
            .and(Key::new(EXCLUDE, KeyKind::TextList, exclude))
            .default_for_if("data.split.kind", whole(), "'global-temporal'")
            .rule(|values| check_time_format(values).into_iter().collect())
            .rule(check)
    }

    fn of(values: &Values) -> Self {
        Self {
            delimiter: values.find("data.delimiter"),
            columns: values.find("data.columns"),
            skip_lines: values.get("data.skip_lines"),
            header: values.get("data.header"),
            time_format: values.find(TIME_FORMAT),
            bad_lines: values.get("data.bad_lines"),
            cells: values.find(CELLS).unwrap_or_default(),
            excluded: values.find(EXCLUDE).unwrap_or_default(),
        }
    }
}

/// What has no meaning for purchases.
fn check(values: &Values) -> Vec<Problem> {
    let mut problems = Vec::new();
    if values.contains("data.binarize") {
        let message = format!(
            "data.binarize does not go with data.format = \"purchases\"; {CELLS} = \"bought\" makes every cell 1"
        );
        problems.push(Problem::new(["data.binarize", "data.format"], message));
    }
    if values.find::<String>("data.duplicates").is_some_and(|duplicates| duplicates != "last") {
        let message =
            format!("data.duplicates does not go with data.format = \"purchases\", whose lines add up as {CELLS} says");
        problems.push(Problem::new(["data.duplicates", "data.format"], message));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, problem, triple, triples};
    use super::super::{ReadOptions, read_dataset};
    use super::*;

    fn with(reader: OrderLines, content: &str) -> Result<Dataset> {
        let (_folder, path) = file("p.csv", content);
        read_dataset(&path, None, &ReadOptions::of_reader(reader))
    }

    fn read(content: &str) -> Result<Dataset> {
        with(OrderLines { cells: CellValue::Spend, ..OrderLines::default() }, content)
    }

    #[test]
    fn columns_are_known_by_their_names() {
        let dataset = read(
            "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
             1,A,2,2010-12-01 08:26:00,1.5,7,UK\n1,B,1,2010-12-01 08:26:00,2,7,UK\n2,A,1,2010-12-02,1.5,7,UK\n",
        );
        let dataset = dataset.expect("purchases");
        assert_eq!(triples(&dataset), [triple("7", "A", 4.5), triple("7", "B", 2.0)]);
        let purchases = dataset.purchases.expect("lines");
        assert_eq!((purchases.orders, purchases.quantities), (vec![0, 0, 1], vec![2.0, 1.0, 1.0]));
        let note = dataset.notes.last().expect("a note");
        assert!(note.ends_with("p.csv: 3 lines of 2 orders of 1 customers and 2 products"), "{note}");
    }

    #[test]
    fn without_an_order_what_is_bought_at_one_moment_is_one() {
        let dataset = read("date,customer,product\n5,x,a\n5,y,a\n5,x,b\n6,x,a\n").expect("purchases");
        assert_eq!(dataset.purchases.expect("lines").orders, [0, 1, 0, 2]);
        assert_eq!(triples(&Dataset { purchases: None, ..dataset }).len(), 3);
    }

    #[test]
    fn what_comes_back_is_taken_off_and_what_is_no_product_left_out() {
        let columns = ["user", "item", "timestamp", "quantity", "price"].map(String::from).to_vec();
        let reader = OrderLines { columns: Some(columns), excluded: vec!["postage".into()], ..OrderLines::default() };
        let reader = OrderLines { cells: CellValue::Quantity, ..reader };
        let lines = "x,a,1,5,2\nx,postage,1,1,9\nx,a,2,-2,2\ny,b,2,1,1\ny,b,3,-1,1\n";
        let dataset = with(reader, lines).expect("purchases");
        assert_eq!(triples(&dataset), [triple("x", "a", 3.0)]);
        let note = dataset.notes.last().expect("a note");
        assert!(note.ends_with("2 products; 2 bring something back; 1 are of data.exclude and left out"), "{note}");
    }

    #[test]
    fn what_might_be_taken_otherwise_is_told() {
        let reader = OrderLines { excluded: vec!["fee".into()], ..OrderLines::default() };
        let dataset = with(reader, "user,item,time\nx,a,1300000000000\ny,a,1300086400000\n").expect("purchases");
        assert_eq!(dataset.purchases.expect("lines").times, [1_300_000_000, 1_300_086_400]);
        for told in
            ["taken for milliseconds", "spend is counted in pieces", "data.exclude names \"fee\", which no line has"]
        {
            assert!(dataset.notes.iter().any(|note| note.contains(told)), "{told}: {:?}", dataset.notes);
        }
        let reader = OrderLines { bad_lines: BadLines::Skip, ..OrderLines::default() };
        let error = with(reader, "user,item,date\nx,a,12/1/2010 8:26\n").expect_err("no times").to_string();
        assert!(error.contains("1 of 1 lines are no ratings") && error.contains("data.time_format"), "{error}");
    }

    #[test]
    fn what_is_missing_is_said_with_its_place() {
        let (folder, path) = file("p.csv", "user,item,date,price\nx,a,1,2\nx,b,1,\n");
        let read = |reader| problem(&folder, read_dataset(&path, None, &ReadOptions::of_reader(reader)));
        let message = read(OrderLines::default());
        assert!(message.starts_with("p.csv:3: a purchase of b by x has a price that is no number"), "{message}");
        for (header, expected) in [
            (
                "user,item,price",
                "p.csv:1: no column of \"user\", \"item\", \"price\" is known to be the timestamp; say which",
            ),
            (
                "customer,StockCode,Description,date",
                "p.csv:1: column 2 \"StockCode\" and column 3 \"Description\" can each be the item; say which in data.columns",
            ),
        ] {
            let (folder, path) = file("p.csv", format!("{header}\n1,2,3,4\n"));
            let options = ReadOptions::of_reader(OrderLines::default());
            let message = problem(&folder, read_dataset(&path, None, &options));
            assert!(message.starts_with(expected), "{message}");
        }
        let columns = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        let message = read(OrderLines { columns: columns(&["user", "item", "-", "price"]), ..OrderLines::default() });
        assert!(message.starts_with("columns: name one \"timestamp\""), "{message}");
        let skipping = OrderLines { bad_lines: BadLines::Skip, ..OrderLines::default() };
        let dataset = read_dataset(&path, None, &ReadOptions::of_reader(skipping)).expect("purchases");
        assert!(dataset.notes.last().is_some_and(|note| note.ends_with("1 have no price and are left out")));
        let (folder, path) = file("p.csv", "user,item,date,quantity\nx,a,1,-2\n");
        let message = problem(&folder, read_dataset(&path, None, &ReadOptions::of_reader(OrderLines::default())));
        assert_eq!(message, "p.csv: holds nothing that was bought and not brought back; expected one line at least");
    }
}
