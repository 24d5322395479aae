//! What a column holds, as far as its name tells.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    User,
    Item,
    Rating,
    Timestamp,
    Title,
}

/// What ends the name of a column of ids.
const OF_IDS: [&str; 6] = ["id", "no", "nr", "number", "key", "code"];

impl Role {
    /// What a column called `name` can hold; case and punctuation do not count.
    pub fn of(name: &str) -> Option<Self> {
        let words: Vec<String> = name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| word.chars().flat_map(char::to_lowercase).collect())
            .collect();
        let name = words.concat();
        let of_ids = || OF_IDS.into_iter().filter_map(|end| name.strip_suffix(end)).find_map(of_entity);
        of_entity(&name).or_else(of_ids).or_else(|| {
            let is_amount = |word: Option<&String>| word.is_some_and(|word| is_amount(word));
            match name.as_str() {
                "timestamp" | "time" | "unixtime" | "unixreviewtime" | "date" | "datetime" => Some(Self::Timestamp),
                rating if ["time", "timestamp", "date", "id"].iter().any(|end| rating.ends_with(end)) => None,
                rating if ["rating", "ratings"].iter().any(|word| rating.ends_with(word)) => Some(Self::Rating),
                rating if rating.starts_with("rating") => Some(Self::Rating),
                title if title.ends_with("title") || title.ends_with("name") => Some(Self::Title),
                _ if is_amount(words.first()) || is_amount(words.last()) || is_amount(Some(&name)) => {
                    Some(Self::Rating)
                }
                _ => None,
            }
        })
    }

    /// The role for people.
    pub fn noun(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Item => "item",
            Self::Rating => "rating",
            Self::Timestamp => "timestamp",
            Self::Title => "title",
        }
    }
}

/// Whether names of columns, those of users and items among them, tell that a file is a list.
pub(super) fn are_of_list(names: &[String]) -> bool {
    [Role::User, Role::Item].iter().all(|&role| names.iter().any(|name| Role::of(name) == Some(role)))
}

/// Who or what a name without punctuation is an id of.
fn of_entity(name: &str) -> Option<Role> {
    match name {
        "user" | "u" | "reviewer" | "customer" | "client" | "member" | "account" | "visitor" | "reader"
        | "listener" => Some(Role::User),
        "item" | "i" | "movie" | "film" | "game" | "page" | "book" | "product" | "article" | "sku" | "artist"
        | "track" | "song" | "album" | "anime" | "business" | "joke" | "isbn" | "asin" => Some(Role::Item),
        _ => None,
    }
}

/// Whether a word is an amount that says how much an item is to a user.
fn is_amount(word: &str) -> bool {
    matches!(
        word,
        "score"
            | "stars"
            | "hours"
            | "value"
            | "count"
            | "plays"
            | "playcount"
            | "listens"
            | "weight"
            | "overall"
            | "quantity"
            | "amount"
            | "feedback"
            | "frequency"
            | "freq"
            | "cnt"
            | "counts"
            | "weights"
            | "values"
            | "clicks"
            | "clicked"
            | "views"
            | "viewed"
            | "visits"
            | "visited"
            | "accessed"
            | "likes"
            | "liked"
            | "played"
            | "purchase"
            | "purchases"
            | "purchased"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_columns_hold() {
        for (names, role) in [
            (&["user", "User-ID", "userId", "reviewerID", "customer_no", "U"][..], Some(Role::User)),
            (&["item", "Game_ID", "movieId", "ISBN", "article", "product number", "asin"], Some(Role::Item)),
            (
                &["rating", "Book-Rating", "ratings", "user_rating", "rating_user", "rating_x", "averageRating"],
                Some(Role::Rating),
            ),
            (
                &[
                    "Hours",
                    "feedback",
                    "Weight",
                    "purchased",
                    "cnt",
                    "score_x",
                    "play_count",
                    "hours played",
                    "playcount",
                    "avg stars",
                ],
                Some(Role::Rating),
            ),
            (&["timestamp", "time", "unixReviewTime", "date"], Some(Role::Timestamp)),
            (&["title", "name", "Game Name", "Book-Title", "original_title"], Some(Role::Title)),
            (&["note", "genres", "id", "thumbs", "", "rating_id", "rating_time", "members", "casino"], None),
        ] {
            for name in names {
                assert_eq!(Role::of(name), role, "{name}");
            }
        }
    }
}
