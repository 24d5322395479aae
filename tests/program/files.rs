//! Pipes, links, names of any bytes, and what comes out of files onto a terminal.

#[cfg(unix)]
use std::ffi::OsStr;
use std::fs;
#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;

use super::{Place, SMALL, number};

#[test]
#[cfg(unix)]
fn a_pipe_is_read_from_its_first_byte() {
    let place = Place::new();
    for input in [
        r"printf '196,1,3\n6,2,4\n'",
        r"printf '196,1,3\n6,2,4\n' | gzip",
        r"(printf 1; sleep 0.1; printf '96,1,3\n6,2,4\n')",
    ] {
        for name in ["/dev/stdin", "-"] {
            let found = place.shell(&format!("{input} | \"$0\" inspect {name} --json")).succeeds().json();
            assert_eq!((number(&found, "/users"), number(&found, "/ratings")), (2.0, 2.0), "{input}: {found}");
        }
    }
    place.shell(r#"printf '' | "$0" inspect /dev/stdin"#).refuses(&["/dev/stdin: holds no ratings"]);
}

#[test]
#[cfg(unix)]
fn standard_input_is_trained_on_and_predicted() {
    let place = Place::new();
    place.shell(r#""$0" data synth r.csv --ratings 500 --users 50 --items 40"#).succeeds();
    place.write("c.toml", "name = 'c'\ntrain.epochs = 2\ndata.path = '-'\n");
    let piped = place.shell(r#"gzip < r.csv | "$0" train c.toml --json"#).succeeds().json();
    let read = place.shell(r#""$0" train c.toml --set data.path=r.csv --json"#).succeeds().json();
    assert_eq!(number(&piped, "/test/rmse"), number(&read, "/test/rmse"));
    place.shell(r#"head -4 r.csv | "$0" predict runs/c-1 --file - > piped; head -4 r.csv > few.csv"#).succeeds();
    place.shell(r#""$0" predict runs/c-1 --file few.csv > read"#).succeeds();
    assert_eq!((place.text("piped"), place.text("piped").lines().count() > 3), (place.text("read"), true));
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_ends_any_command_quietly() {
    let place = Place::new();
    let outcome = place.shell(
        r#"("$0" data synth /dev/stdout --ratings 500000 --users 5000 --items 4000; echo "code $?" >&2) | head -1"#,
    );
    assert_eq!((outcome.stdout.lines().count(), outcome.stderr.as_str()), (1, "code 0\n"), "{outcome:#?}");
    for command in ["config explain", "data list", "completions bash", "--help"] {
        let outcome = place.shell(&format!("(\"$0\" {command}; echo \"code $?\" >&2) | true"));
        assert_eq!(outcome.stderr, "code 0\n", "{command}");
    }
    let piped = place
        .shell(r#""$0" data synth /dev/stdout --ratings 200 --users 50 --items 40 | "$0" inspect /dev/stdin --json"#);
    assert_eq!(number(&piped.json(), "/ratings"), 200.0);
}

#[test]
#[cfg(unix)]
fn a_link_stays_a_link_and_a_file_of_the_user_stays_his() {
    let place = Place::new();
    fs::create_dir(place.path("far")).expect("a folder");
    place.write("far/r.csv", "old");
    place.write("link.csv.tmp", "mine");
    std::os::unix::fs::symlink("far/r.csv", place.path("link.csv")).expect("a link");
    place.call(["data", "synth", "link.csv", "--ratings", "200", "--users", "50", "--items", "40"]).succeeds();
    assert!(fs::symlink_metadata(place.path("link.csv")).expect("it").is_symlink());
    assert_eq!(place.text("far/r.csv").lines().count(), 201);
    assert_eq!(place.text("link.csv.tmp"), "mine");
    assert_eq!(place.files(), ["far", "far/r.csv", "link.csv", "link.csv.tmp"]);
}

/// Every command and every option that takes a file, with a name that is not UTF-8.
#[test]
#[cfg(unix)]
fn a_name_that_is_not_utf_8_never_panics() {
    let place = Place::new();
    let odd = |name: &[u8]| OsStr::from_bytes(name).to_os_string();
    let (folder, config, ratings) = (odd(b"d\xff"), odd(b"d\xff/c\xfe.toml"), odd(b"d\xff/r\xfe.csv"));
    fs::create_dir(place.path(&folder)).expect("a folder");
    let rows: String = (0..300).map(|at| format!("{},{},{}\n", at / 10, at % 10 + at % 3, 1 + at % 5)).collect();
    fs::write(place.path(&ratings), &rows).expect("ratings");
    place.write("r.csv", &rows);
    let toml = "data.path = \"r.csv\"\nmodel.rank = 2\ntrain.epochs = 2\n";
    fs::write(place.path("c.toml"), toml).expect("a config");
    fs::write(place.path(&config), format!("data.dataset = \"synthetic\"\n{}", &toml[20..])).expect("a config");
    let space = odd(b"d\xff/s\xfe.toml");
    fs::write(place.path(&space), "base = \"../c.toml\"\ntrials = 1\n[space]\nmodel.rank = { int = [1, 2] }\n")
        .expect("a space file");
    place.train("c.toml", []).succeeds();
    place.train("c.toml", []).succeeds();
    let run = odd(b"d\xff/run");
    fs::rename(place.path("runs/c-1"), place.path(&run)).expect("moved");
    let arg = |text: &str| odd(text.as_bytes());
    let with = |words: &[&str], rest: &[&std::ffi::OsString]| {
        let args = words.iter().map(|word| arg(word)).chain(rest.iter().map(|&rest| rest.clone()));
        let mut command = place.command(super::PROGRAM);
        let output = command.args(args).output().expect("the program starts");
        let code = output.status.code();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(code, Some(0 | 2)) && !stderr.contains("panicked"), "{words:?}: {code:?} {stderr}");
        code
    };
    let set = |key: &str, path: &std::ffi::OsString| {
        let mut setting = arg(key);
        setting.push("=");
        setting.push(path);
        setting
    };
    assert_eq!(with(&["inspect"], &[&ratings]), Some(0));
    assert_eq!(with(&["inspect"], &[&run]), Some(0));
    assert_eq!(with(&["train", "--quiet"], &[&config]), Some(0));
    assert_eq!(with(&["config", "check"], &[&config]), Some(0));
    // The base config would be a value of the sweep's, which is UTF-8.
    assert_eq!(with(&["sweep", "--check"], &[&space]), Some(2));
    assert_eq!(with(&["evaluate", "--data"], &[&ratings, &run]), Some(0));
    assert_eq!(with(&["evaluate"], &[&run]), Some(0));
    assert_eq!(with(&["predict"], &[&run, &arg("1"), &arg("1")]), Some(0));
    assert_eq!(with(&["predict", "--file"], &[&ratings, &run]), Some(0));
    assert_eq!(with(&["recommend"], &[&run, &arg("1")]), Some(0));
    assert_eq!(with(&["compare"], &[&run, &arg("runs/c-2")]), Some(0));
    assert_eq!(
        with(&["data", "synth", "--ratings", "200", "--users", "50", "--items", "40"], &[&odd(b"d\xff/\xfd")]),
        Some(0)
    );
    with(&["components"], &[&run]);
    with(&["reconstruct", "--output"], &[&odd(b"d\xff/o\xfe.txt"), &run, &arg("1")]);
    with(&["query", "--user", "1"], &[&run]);
    with(&["consensus", "--quiet"], &[&config]);
    with(&["data", "fetch", "movielens-100k", "--from"], &[&ratings]);
    let (mut resumed, mut model) = (run.clone(), run.clone());
    resumed.push("/config.toml");
    model.push("/model.safetensors");
    assert_eq!(with(&["train", "--quiet", "--resume"], &[&resumed]), Some(0));
    assert_eq!(with(&["predict"], &[&model, &arg("1"), &arg("1")]), Some(0));
    // Whatever stands in a config is UTF-8, so that this is refused.
    for key in ["data.path", "data.titles.path", "run.dir", "name"] {
        assert_eq!(with(&["train", "c.toml", "--set"], &[&set(key, &ratings)]), Some(2));
    }
    assert_eq!(with(&["train", "--set", "data.dataset=synthetic", "--device"], &[&ratings, &arg("c.toml")]), Some(2));
    for id in [["--user"], ["--item"], ["--text"]] {
        assert_eq!(with(&["query", id[0]], &[&ratings, &run]), Some(2));
    }
    for command in ["recommend", "reconstruct", "predict"] {
        with(&[command], &[&run, &ratings]);
    }
    // A current folder of such a name is none of the config's business.
    fs::write(place.path(&folder).join("plain.toml"), toml).expect("a config");
    fs::write(place.path(&folder).join("r.csv"), &rows).expect("ratings");
    let mut command = place.command(super::PROGRAM);
    super::outcome(command.current_dir(place.path(&folder)).args(["train", "plain.toml", "--quiet"])).succeeds();
    // Texts in folders.
    fs::create_dir(place.path("texts")).expect("a folder");
    for name in [&b"a\xff"[..], b"b\xff.txt", b"c"] {
        fs::write(place.path("texts").join(odd(name)), "some words and some more words").expect("a text");
    }
    with(&["inspect", "--format", "documents", "texts"], &[]);
}

/// Ids and titles with everything that a terminal would obey.
#[test]
fn control_characters_never_reach_the_terminal() {
    let place = Place::new();
    let bell = |at: usize| format!("i\u{1b}[3{at}m\u{7}\u{9b}2J\u{7f}{at}");
    let user = |at: usize| format!("u\u{1b}]0;title\u{7}{at}");
    let rows = (0..240).map(|at| format!("{},{},{}\n", user(at / 8), bell(at % 8), 1 + at * at % 5));
    place.write("r.csv", rows.collect::<String>());
    place.write("t.csv", (0..8).map(|at| format!("{},t\u{1b}[2J{at}\n", bell(at))).collect::<String>());
    place.write(
        "c.toml",
        "data = { path = 'r.csv', titles = { path = 't.csv' }, split = { kind = 'none' } }\n\
         model = { kind = 'nmf', rank = 2 }\ntrain.epochs = 2\nsolver = { kind = 'hals' }\n",
    );
    let (u, i) = (&user(1), &bell(1));
    let mut calls = vec![vec!["train", "c.toml"], vec!["inspect", "r.csv"], vec!["inspect", "runs/c-1"]];
    for (command, rest) in [
        ("components", vec![]),
        ("query", vec!["--user", u]),
        ("query", vec!["--item", i]),
        ("query", vec!["--user", "none\u{1b}[2J"]),
        ("reconstruct", vec![u]),
        ("recommend", vec!["--keep-seen", u]),
        ("recommend", vec!["none\u{1b}[2J"]),
        ("predict", vec![u, i]),
        ("predict", vec!["--file", "r.csv"]),
        ("score", vec![i]),
        ("score", vec![i, "--file", "r.csv"]),
        ("evaluate", vec!["--data", "r.csv"]),
    ] {
        calls.push([command, "runs/c-1"].into_iter().chain(rest).collect());
    }
    place.write("bad.csv", "1\u{1b}[2J,a,x\u{1b}[2J\n2,b,y\n");
    calls.push(vec!["inspect", "bad.csv", "--columns", "user,item,rating"]);
    place.write("bad.toml", "\"a\u{1b}[2J\" = 1\ndata.dataset = '\u{9b}2J'\nmodel.kind = '\u{9b}2J'\n");
    calls.push(vec!["train", "bad.toml"]);
    for call in calls {
        for json in [false, true] {
            let has_json = ["train", "inspect", "components", "query", "recommend", "predict", "score", "evaluate"];
            if json && (!has_json.contains(&call[0]) || call.contains(&"bad.toml")) {
                continue;
            }
            let outcome = place.call(call.iter().copied().chain(json.then_some("--json")));
            let text = outcome.stdout.clone() + &outcome.stderr;
            let wrong = text.chars().find(|c| c.is_control() && !"\n\t".contains(*c));
            assert_eq!(wrong, None, "{call:?}: {outcome:#?}");
            if json && outcome.code == Some(0) {
                outcome.json();
            }
        }
    }
    // For programs ids stay what they are.
    let recommended = place.call(["recommend", "runs/c-1", "--keep-seen", u, "--json"]).succeeds().json();
    let ids: Vec<String> = (0..8).map(bell).collect();
    let first = recommended["items"][0]["item"].as_str().expect("an id");
    assert!(ids.iter().any(|id| id == first), "{first:?}");
    place.call(["reconstruct", "runs/c-1", u, "--output", "o.txt"]).succeeds();
    assert!(place.text("o.txt").contains(i.as_str()));
}

#[test]
fn refusals_of_the_operating_system_come_with_a_remedy() {
    let place = Place::new();
    place.write("c.toml", "data.path = 'none.csv'\n");
    place.train("c.toml", []).refuses(&["none.csv: cannot open: ", "; check its name and folder"]);
    place.call(["data", "synth", "no/folder/x.csv"]).refuses(&["x.csv: cannot create: ", "; make its folder first"]);
    place.write("f", "");
    place.call(["data", "synth", "f/x.csv"]).refuses(&["cannot create: ", "a part of its path is a file"]);
    place.write("latin.toml", b"name = 'caf\xe9'\n");
    place.train("latin.toml", []).refuses(&["latin.toml:1: is not UTF-8 text; save the file as UTF-8"]);
    let settings = SMALL.iter().flat_map(|setting| ["--set", setting]);
    let full = "/dev/full";
    if fs::metadata(full).is_ok() {
        place.write("e.toml", "train.epochs = 1\n");
        place.call(["train", "e.toml", "--quiet"].into_iter().chain(settings)).succeeds();
        place.call(["data", "synth", full]).refuses(&["/dev/full: cannot write: ", "; make room there"]);
    }
}

#[test]
fn what_is_kept_is_listed_and_cleared() {
    let place = Place::new();
    let rows: String = (0..300).map(|at| format!("{},{},{}\n", at / 10, at % 10 + at % 3, 1 + at % 5)).collect();
    place.write_large("large.csv", rows);
    place.write("c.toml", "data.path = 'large.csv'\nmodel.rank = 2\ntrain.epochs = 1\n");
    let listed = || place.call(["data", "cache", "--json"]).succeeds().json();
    assert_eq!(listed()["kept"].as_array().map(Vec::len), Some(0));
    place.train("c.toml", []).succeeds();
    fs::create_dir_all(place.path("cache/lowrank/data/movielens-100k")).expect("a folder");
    place.write("cache/lowrank/data/movielens-100k/u.data", "1\t2\t3\t4\n");
    fs::create_dir_all(place.path("cache/lowrank/data/.movielens-100k.unfinished")).expect("a folder");
    let found = listed();
    assert_eq!((&found["kept"][0]["what"], &found["kept"][0]["of"]), (&"binary copy".into(), &"large.csv".into()));
    assert_eq!((&found["kept"][1]["of"], &found["kept"][1]["bytes"]), (&"movielens-100k".into(), &8.into()));
    let text = place.call(["data", "cache"]).succeeds().stdout;
    assert!(text.contains("large.csv") && text.contains("MB together"), "{text}");
    assert!(place.call(["data", "cache", "--clear"]).succeeds().stdout.starts_with("removed: 2 with "));
    assert_eq!(listed()["kept"].as_array().map(Vec::len), Some(0));
    let left: Vec<_> = place.files().into_iter().filter(|file| file.starts_with("cache/lowrank/")).collect();
    assert_eq!(left, ["cache/lowrank/data", "cache/lowrank/ratings"]);
    // It was a copy only.
    assert!(place.path("large.csv").exists() && place.path("runs/c-1/model.safetensors").exists());
}
