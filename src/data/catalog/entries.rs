//! The data sets of the catalog, and finding one by its name.

use super::entry::{Archive, CatalogFeatures, Checksum, Entry, Titles};
use crate::error::{Error, Result};

const ITEM_TITLE: &[&str] = &["item", "title"];
const MOVIES_DAT: Option<Titles> = Some(Titles { file: "movies.dat", delimiter: "::", columns: ITEM_TITLE });
const MOVIES_CSV: Option<Titles> = Some(Titles { file: "movies.csv", delimiter: ",", columns: ITEM_TITLE });

const GENRES_DAT: Option<CatalogFeatures> =
    Some(CatalogFeatures { file: "movies.dat", delimiter: "::", columns: &["item", "title", "genre"], separator: "|" });
const GENRES_CSV: Option<CatalogFeatures> =
    Some(CatalogFeatures { file: "movies.csv", delimiter: ",", columns: &["item", "title", "genre"], separator: "|" });

const ENTRIES: &[Entry] = &[
    Entry {
        name: "movielens-100k",
        description: "100,000 ratings 1 to 5 of 1682 films by 943 users, with 5 folds; GroupLens, for research",
        source: Some(Archive {
            address: "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
            checksum: Checksum::Md5("0e33842e24a9c977be4e0107933c0723"),
            folder: "ml-100k",
        }),
        ratings: "u.data",
        delimiter: "\t",
        columns: None,
        titles: Some(Titles { file: "u.item", delimiter: "|", columns: ITEM_TITLE }),
        user_features: Some(CatalogFeatures {
            file: "u.user",
            delimiter: "|",
            columns: &["user", "age", "gender", "occupation", "zip"],
            separator: "|",
        }),
        item_features: Some(CatalogFeatures {
            file: "u.item",
            delimiter: "|",
            columns: &[
                "item",
                "title",
                "date",
                "-",
                "-",
                "genre=unknown",
                "genre=Action",
                "genre=Adventure",
                "genre=Animation",
                "genre=Children's",
                "genre=Comedy",
                "genre=Crime",
                "genre=Documentary",
                "genre=Drama",
                "genre=Fantasy",
                "genre=Film-Noir",
                "genre=Horror",
                "genre=Musical",
                "genre=Mystery",
                "genre=Romance",
                "genre=Sci-Fi",
                "genre=Thriller",
                "genre=War",
                "genre=Western",
            ],
            separator: "|",
        }),
        folds: &[
            ("u1.base", "u1.test"),
            ("u2.base", "u2.test"),
            ("u3.base", "u3.test"),
            ("u4.base", "u4.test"),
            ("u5.base", "u5.test"),
        ],
    },
    Entry {
        name: "movielens-1m",
        description: "1,000,209 ratings 1 to 5 of 3706 films by 6040 users; GroupLens, for research",
        source: Some(Archive {
            address: "https://files.grouplens.org/datasets/movielens/ml-1m.zip",
            checksum: Checksum::Md5("c4d9eecfca2ab87c1945afe126590906"),
            folder: "ml-1m",
        }),
        ratings: "ratings.dat",
        delimiter: "::",
        columns: None,
        titles: MOVIES_DAT,
        user_features: Some(CatalogFeatures {
            file: "users.dat",
            delimiter: "::",
            columns: &["user", "gender", "age", "occupation", "zip"],
            separator: "|",
        }),
        item_features: GENRES_DAT,
        folds: &[],
    },
    Entry {
        name: "movielens-10m",
        description: "10,000,054 ratings 0.5 to 5 of 10,677 films by 69,878 users; GroupLens, for research",
        source: Some(Archive {
            address: "https://files.grouplens.org/datasets/movielens/ml-10m.zip",
            checksum: Checksum::Md5("ce571fd55effeba0271552578f2648bd"),
            folder: "ml-10M100K",
        }),
        ratings: "ratings.dat",
        delimiter: "::",
        columns: None,
        titles: MOVIES_DAT,
        user_features: None,
        item_features: GENRES_DAT,
        folds: &[],
    },
    Entry {
        name: "movielens-20m",
        description: "20,000,263 ratings 0.5 to 5 of 26,744 films by 138,493 users; GroupLens, for research",
        source: Some(Archive {
            address: "https://files.grouplens.org/datasets/movielens/ml-20m.zip",
            checksum: Checksum::Md5("cd245b17a1ae2cc31bb14903e1204af3"),
            folder: "ml-20m",
        }),
        ratings: "ratings.csv",
        delimiter: ",",
        columns: None,
        titles: MOVIES_CSV,
        user_features: None,
        item_features: GENRES_CSV,
        folds: &[],
    },
    Entry {
        name: "movielens-25m",
        description: "25,000,095 ratings 0.5 to 5 of 59,047 films by 162,541 users; GroupLens, for research",
        source: Some(Archive {
            address: "https://files.grouplens.org/datasets/movielens/ml-25m.zip",
            checksum: Checksum::Md5("6b51fb2759a8657d3bfcbfc42b592ada"),
            folder: "ml-25m",
        }),
        ratings: "ratings.csv",
        delimiter: ",",
        columns: None,
        titles: MOVIES_CSV,
        user_features: None,
        item_features: GENRES_CSV,
        folds: &[],
    },
    Entry {
        name: "movielens-latest-small",
        description: "100,836 ratings 0.5 to 5 of 9724 films by 610 users; GroupLens, redistributable on the same terms",
        source: Some(Archive {
            address: "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",
            checksum: Checksum::Sha256("696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"),
            folder: "ml-latest-small",
        }),
        ratings: "ratings.csv",
        delimiter: ",",
        columns: None,
        titles: MOVIES_CSV,
        user_features: None,
        item_features: GENRES_CSV,
        folds: &[],
    },
    Entry {
        name: "filmtrust",
        description: "35,494 ratings 0.5 to 4 of 2071 films by 1508 users; licence not stated",
        source: None,
        ratings: "ratings.txt",
        delimiter: " ",
        columns: None,
        titles: None,
        user_features: None,
        item_features: None,
        folds: &[],
    },
    Entry {
        name: "book-crossing",
        description: "62,656 ratings 1 to 10 of 14,684 books by 1295 users; licence not stated",
        source: None,
        ratings: "book_ratings.dat",
        delimiter: "\t",
        columns: None,
        titles: Some(Titles { file: "items_info.dat", delimiter: "\t", columns: &["item", "-", "title"] }),
        user_features: Some(CatalogFeatures {
            file: "users_info.dat",
            delimiter: "\t",
            columns: &["user", "location", "age"],
            separator: ", ",
        }),
        item_features: Some(CatalogFeatures {
            file: "items_info.dat",
            delimiter: "\t",
            columns: &["item", "-", "title", "author", "year", "publisher"],
            separator: ", ",
        }),
        folds: &[],
    },
    Entry {
        name: "steam",
        description: "70,489 times, in hours, that 11,350 users played 3600 games; licence not stated",
        source: None,
        ratings: "game_play.dat",
        delimiter: "\t",
        columns: None,
        titles: Some(Titles { file: "item_info.dat", delimiter: "\t", columns: ITEM_TITLE }),
        user_features: None,
        item_features: None,
        folds: &[],
    },
    Entry {
        name: "msweb",
        description: "98,653 visits of 32,710 users to 285 pages of microsoft.com, without ratings; GPL-2",
        source: None,
        ratings: "visits.tsv",
        delimiter: "\t",
        columns: None,
        titles: None,
        user_features: None,
        item_features: None,
        folds: &[],
    },
    Entry {
        name: "ncf-movielens-1m",
        description: "movielens-1m as divided by He et al. 2017: each user's last rating is the test part (fold 1)",
        source: None,
        ratings: "ml-1m.train.rating",
        delimiter: "\t",
        columns: None,
        titles: None,
        user_features: None,
        item_features: None,
        folds: &[("ml-1m.train.rating", "ml-1m.test.rating")],
    },
];

/// The whole catalog.
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

/// The entry called `name`.
///
/// # Errors
/// [`Error::Usage`] with the nearest name and all names, if there is none.
pub fn find(name: &str) -> Result<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let nearest = ENTRIES
            .iter()
            .map(|entry| (strsim::jaro_winkler(name, entry.name), entry.name))
            .filter(|(similarity, _)| *similarity > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = nearest.map(|(_, near)| format!("; did you mean {near:?}?")).unwrap_or_default();
        let all: Vec<&str> = ENTRIES.iter().map(|entry| entry.name).collect();
        Error::Usage(format!("unknown data set {name:?}{hint}\nthe catalog has {}", all.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_misspelt_ones_are_guessed() {
        let names: HashSet<&str> = entries().iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), entries().len());
        let error = find("movielens100k").unwrap_err().to_string();
        assert!(error.starts_with("unknown data set \"movielens100k\"; did you mean \"movielens-100k\"?"), "{error}");
        assert!(
            find("zzz").unwrap_err().to_string().starts_with("unknown data set \"zzz\"\nthe catalog has movielens-")
        );
    }

    #[test]
    fn checksums_are_well_formed() {
        for source in entries().iter().filter_map(|entry| entry.source) {
            let (sum, length) = match source.checksum {
                Checksum::Md5(sum) => (sum, 32),
                Checksum::Sha256(sum) => (sum, 64),
            };
            assert!(sum.len() == length && sum.chars().all(|c| c.is_ascii_hexdigit()), "{}", source.address);
        }
    }
}
