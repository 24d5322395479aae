//! What the columns of a list of ratings hold, as given or as its first lines tell.

use super::roles::{Role, are_of_list};
use super::shared_keys::{BY_POSITION, HeaderLine};
use super::text::{listed, parse_number};
use crate::config::words::joined;
use crate::error::{Error, Result};

/// How to say what columns hold.
const ANSWER: &str =
    "data.columns, a word a column, as in [\"user\", \"item\", \"rating\", \"-\"], with \"-\" for one to skip";

/// Columns that a note names at most.
const MOST_NAMED: usize = 3;

/// The first lines of a file, cut into fields.
pub(super) struct Start {
    pub first: Vec<String>,
    /// Those after the first, as far as they can be cut.
    pub rest: Vec<Vec<String>>,
}

/// Where a line has what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub user: usize,
    pub item: usize,
    pub rating: Option<usize>,
    pub timestamp: Option<usize>,
    /// Of each context, in the order of the options.
    pub context: Vec<usize>,
    /// What the columns are called, for messages.
    pub names: Vec<String>,
    /// Whether the first line names them rather than being a rating.
    pub has_header: bool,
}

impl Columns {
    /// The columns of a file that begins with `start`: those that `given` names, or else those of a header, or else the
    /// first ones.
    ///
    /// # Errors
    /// [`Error::Usage`] for given names that make no sense; as a text what is wrong with the first line.
    pub fn of(
        start: &Start,
        given: Option<&[String]>,
        header: HeaderLine,
        context: &[String],
    ) -> Result<Result<Self, String>> {
        match given {
            Some(columns) => Self::given(columns, header, context, start).map(Ok),
            None => Ok(Self::found(start, header, context).map_err(|what| {
                match start.looks_like().filter(|_| !are_of_list(&start.first)) {
                    Some(form) => format!("{what}; {form}"),
                    None => what,
                }
            })),
        }
    }

    /// The columns that `columns` of the options spells out.
    fn given(columns: &[String], header: HeaderLine, context: &[String], start: &Start) -> Result<Self> {
        let is_known = |name: &String| BY_POSITION.contains(&name.as_str()) || context.contains(name);
        let unknown = |name: &&String| name.as_str() != "-" && !is_known(name);
        if let Some(name) = columns.iter().find(unknown) {
            return Err(Error::Usage(format!(
                "columns: unknown name {name:?}; use \"user\", \"item\", \"rating\", \"timestamp\", names of data.context, \
                 and \"-\" to skip one"
            )));
        }
        let of_all = BY_POSITION.into_iter().chain(context.iter().map(String::as_str));
        if let Some(name) = of_all.into_iter().find(|role| columns.iter().filter(|name| name == role).count() > 1) {
            return Err(Error::Usage(format!("columns: {name:?} stands twice; name the other one \"-\"")));
        }
        if let Some(name) = context.iter().find(|name| !columns.contains(name)) {
            return Err(Error::Usage(format!("columns: none is called {name:?}, which data.context names")));
        }
        let place = |wanted: &str| columns.iter().position(|name| name == wanted);
        let (Some(user), Some(item)) = (place("user"), place("item")) else {
            return Err(Error::Usage("columns: name one \"user\" and one \"item\"".into()));
        };
        let (rating, timestamp) = (place("rating"), place("timestamp"));
        let first = &start.first;
        let has_header = match header {
            HeaderLine::Yes => true,
            HeaderLine::No => false,
            HeaderLine::Auto => {
                let has_roles = |first: &[String]| {
                    Role::of(&first[user]) == Some(Role::User) && Role::of(&first[item]) == Some(Role::Item)
                };
                let is_rating = |rating: usize| is_number(&first[rating]);
                first.len() == columns.len()
                    && (has_roles(first)
                        || rating.is_some_and(|rating| is_name(&first[rating]) && !start.are_names(rating))
                        || !rating.is_some_and(is_rating) && start.has_unlike_first())
            }
        };
        let context = context.iter().filter_map(|name| place(name)).collect();
        let names = if has_header && first.len() == columns.len() { first.clone() } else { columns.to_vec() };
        Ok(Self { user, item, rating, timestamp, context, names, has_header })
    }

    /// The columns that the first lines tell.
    fn found(start: &Start, header: HeaderLine, context: &[String]) -> Result<Self, String> {
        let first = &start.first;
        if let Some(name) = context.iter().find(|name| !first.contains(name)) {
            return Err(format!(
                "data.context names {name:?}, but the first line ({}) does not; give the names of the file's header, or say \
                 what the columns hold in data.columns",
                listed(first)
            ));
        }
        let of_role = |role| Self::of_role(first, role, context);
        let (users, items) = (of_role(Role::User), of_role(Role::Item));
        let are_known = !users.is_empty() && !items.is_empty();
        // A number in the place of the rating is one.
        let is_rating = first.get(2).is_some_and(|field| is_number(field));
        match header {
            HeaderLine::Yes | HeaderLine::Auto if are_known && (header == HeaderLine::Yes || !is_rating) => {
                Self::of_header(first, context)
            }
            HeaderLine::Yes => Err(unknown_header(first)),
            _ if first.len() == 1 => Err(format!(
                "only one field is found ({}); set the delimiter that stands between user and item",
                listed(first)
            )),
            HeaderLine::Auto if first.len() <= 2 && start.has_unlike_first() => Err(unknown_header(first)),
            _ if first.len() > BY_POSITION.len() || first.get(2).is_some_and(|field| is_name(field)) => Err(format!(
                "the first line ({}) is neither a header with known names nor user, item, rating and timestamp; say what \
                 the columns hold in data.columns, as in [\"user\", \"item\", \"rating\"], with \"-\" for one to skip",
                listed(first)
            )),
            _ => Ok(Self {
                user: 0,
                item: 1,
                rating: (first.len() > 2).then_some(2),
                timestamp: (first.len() > 3).then_some(3),
                context: Vec::new(),
                names: BY_POSITION[..first.len()].iter().map(ToString::to_string).collect(),
                has_header: false,
            }),
        }
    }

    /// The columns that a header with a user and an item names.
    fn of_header(names: &[String], context: &[String]) -> Result<Self, String> {
        let only = |role| match Self::of_role(names, role, context)[..] {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            ref several => Err(format!("{}; say which in {ANSWER}", several_fit(names, role, several))),
        };
        let (rating, timestamp) = (only(Role::Rating)?, only(Role::Timestamp)?);
        let (user, item) = (only(Role::User)?, only(Role::Item)?);
        let all_known = names.iter().all(|name| Role::of(name).is_some() || context.contains(name));
        if rating.is_none() && !all_known {
            return Err(format!(
                "the header names no rating that is known ({}); say what the columns hold in data.columns, as in \
                 [\"user\", \"item\", \"rating\"], with \"-\" for one to skip",
                listed(names)
            ));
        }
        let context = context.iter().filter_map(|name| names.iter().position(|other| other == name)).collect();
        let (user, item) = user.zip(item).ok_or_else(|| unknown_header(names))?;
        Ok(Self { user, item, rating, timestamp, context, names: names.to_vec(), has_header: true })
    }

    /// The columns that can have a role by their names, without those of the context.
    fn of_role(names: &[String], role: Role, context: &[String]) -> Vec<usize> {
        let fits = |name: &String| Role::of(name) == Some(role) && !context.contains(name);
        (0..names.len()).filter(|&at| fits(&names[at])).collect()
    }

    /// What was taken for what, for people; `separator` stands between the columns.
    pub fn told(&self, separator: &str) -> String {
        let named = |at: usize| match self.has_header {
            true => format!("{} {:?}", at + 1, self.names[at]),
            false => format!("{}", at + 1),
        };
        let roles = [
            (Some(self.user), "user is"),
            (Some(self.item), "item"),
            (self.rating, "rating"),
            (self.timestamp, "time"),
        ];
        let mut told: Vec<String> =
            roles.into_iter().filter_map(|(at, noun)| Some(format!("{noun} column {}", named(at?)))).collect();
        told.extend(self.context.iter().map(|&at| format!("{} column {}", self.names[at], at + 1)));
        let is_used = |at: &usize| roles.iter().any(|(used, _)| *used == Some(*at)) || self.context.contains(at);
        let skipped: Vec<usize> = (0..self.names.len()).filter(|at| !is_used(at)).collect();
        let mut shown: Vec<String> = skipped.iter().take(MOST_NAMED).map(|&at| named(at)).collect();
        if skipped.len() > MOST_NAMED {
            shown.push(format!("{} more", skipped.len() - MOST_NAMED));
        }
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        format!(
            "{separator} between columns, {} header: {}{}",
            if self.has_header { "with a" } else { "no" },
            told.join(", "),
            if shown.is_empty() { String::new() } else { format!("; skipped: {}", joined(&shown, "and")) }
        )
    }
}

/// That each of `several` columns can have a role.
pub(super) fn several_fit(names: &[String], role: Role, several: &[usize]) -> String {
    let choices: Vec<String> = several.iter().map(|&at| format!("column {} {:?}", at + 1, names[at])).collect();
    let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
    format!("{} can each be the {}", joined(&choices, "and"), role.noun())
}

fn unknown_header(names: &[String]) -> String {
    format!(
        "the first line ({}) seems to name the columns, but not by names that are known; say what they hold in data.columns, as in \
         [\"user\", \"item\", \"rating\"], with \"-\" for one to skip, or set data.header = \"no\" if it is a rating",
        listed(names)
    )
}

impl Start {
    /// Whether some column has a word without digits in the first line, and numbers (or at least digits, in three lines or
    /// more) in all others: names rather than ids.
    fn has_unlike_first(&self) -> bool {
        let rest: Vec<_> = self.rest.iter().filter(|fields| fields.len() == self.first.len()).collect();
        let has_digit = |field: &String| field.contains(|c: char| c.is_ascii_digit());
        (0..self.first.len()).any(|at| {
            is_name(&self.first[at])
                && !has_digit(&self.first[at])
                && (!rest.is_empty() && rest.iter().all(|fields| is_number(&fields[at]))
                    || rest.len() >= 3 && rest.iter().all(|fields| has_digit(&fields[at])))
        })
    }

    /// Whether a column has names in all lines after the first.
    fn are_names(&self, at: usize) -> bool {
        !self.rest.is_empty() && self.rest.iter().all(|fields| fields.get(at).is_some_and(|field| is_name(field)))
    }

    /// What the lines look like if they are no list of ratings, with what to do.
    pub fn looks_like(&self) -> Option<String> {
        let widths = || self.rest.iter().map(Vec::len);
        let (least, most) = (widths().min()?, widths().max()?);
        let numbers = |fields: &Vec<String>| fields.iter().filter(|field| is_number(field)).count();
        if least == most
            && most > BY_POSITION.len()
            && self.rest.iter().all(|fields| numbers(fields) + 1 >= fields.len())
        {
            return Some("this looks like a dense table of numbers: data.format = \"dense\" reads one".into());
        }
        // A line that is too short or too long is an error of its own.
        let different = widths().filter(|&width| width != self.first.len()).count();
        (most > BY_POSITION.len() && 2 * different > self.rest.len()).then(|| {
            "this looks like baskets (a line a user with its items, or a line an order): data.format = \"baskets\" reads them"
                .into()
        })
    }
}

fn is_number(field: &str) -> bool {
    parse_number(field.as_bytes()).is_some()
}

/// Whether a field can only be a name: it begins with a letter and is no number ("nan" is one).
fn is_name(field: &str) -> bool {
    !is_number(field) && field.starts_with(char::is_alphabetic)
}
