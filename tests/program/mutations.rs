//! Model files and checkpoints with wrong bytes and wrong headers: refused, or used, but never a panic, a hang or a call for
//! memory that there is not.

use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::Place;

/// Mutations of each kind of file.
const COUNT: usize = 150;
/// A call that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(30);

/// A change of a header.
type Edit<'a> = &'a dyn Fn(&mut Value);

/// The JSON header of a safetensors file and what follows it.
fn parts(file: &[u8]) -> (Value, &[u8]) {
    let (length, rest) = file.split_first_chunk::<8>().expect("a length");
    let (header, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
    (serde_json::from_slice(header).expect("JSON"), rest)
}

fn whole(header: &Value, rest: &[u8]) -> Vec<u8> {
    let header = header.to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes()[..], &header, rest].concat()
}

/// JSON pointers to all values below `value`, and to itself.
fn pointers(value: &Value, pointer: String, found: &mut Vec<String>) {
    let mut below = |name: &str, value| pointers(value, format!("{pointer}/{}", name.replace('/', "~1")), found);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| below(name, value)),
        Value::Array(list) => list.iter().enumerate().for_each(|(at, value)| below(&at.to_string(), value)),
        _ => {}
    }
    found.push(pointer);
}

/// `value` with one of its values, or of those below it, replaced, left out or repeated.
fn with_another_value(mut value: Value, random: &mut ChaCha8Rng) -> Value {
    let mut found = Vec::new();
    pointers(&value, String::new(), &mut found);
    found.pop();
    let pointer = &found[random.random_range(0..found.len())];
    let hostile = [
        json!(0),
        json!(1),
        json!(-1),
        json!(3),
        json!(u32::MAX),
        json!(u64::MAX),
        json!(1e30),
        json!(1e300),
        json!(0.5),
        json!(-1e-9),
        json!(""),
        json!("x"),
        json!(null),
        json!([]),
        json!([5.0, 1.0]),
        json!([1e39, 1e39]),
        json!({}),
        json!(true),
        json!([4096, 4096, 4096, 4096]),
        json!(vec![65536; 40]),
        json!(4096),
    ];
    if let Some(place) = value.pointer_mut(pointer) {
        match (random.random_range(0..8), &mut *place) {
            (0, Value::Array(list)) if !list.is_empty() => drop(list.pop()),
            (1, Value::Array(list)) if !list.is_empty() => list.push(list[0].clone()),
            (0..=3, Value::Number(number)) => {
                let near = number.as_i64().unwrap_or(1).wrapping_add([-1, 1, 7][random.random_range(0..3)]);
                *place = json!(near);
            }
            _ => *place = hostile[random.random_range(0..hostile.len())].clone(),
        }
    }
    value
}

fn mutated(file: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let (mut header, rest) = parts(file);
    let length = file.len() - rest.len();
    let scattered = |range: std::ops::Range<usize>, random: &mut ChaCha8Rng| {
        let mut bytes = file.to_vec();
        for _ in 0..random.random_range(1..6) {
            bytes[random.random_range(range.clone())] = random.next_u32() as u8;
        }
        bytes
    };
    match random.random_range(0..10) {
        0 => scattered(0..file.len(), random),
        1 => scattered(0..length, random),
        2 => scattered(length..file.len(), random),
        3 => file[..random.random_range(0..file.len())].to_vec(),
        4 => whole(&with_another_value(header, random), rest),
        _ => {
            let own = &mut header["__metadata__"]["lowrank"];
            let inner: Value = serde_json::from_str(own.as_str().expect("text")).expect("JSON");
            *own = with_another_value(inner, random).to_string().into();
            whole(&header, rest)
        }
    }
}

/// Asks for exit 0, 2 or 3, soon and without a panic.
#[track_caller]
fn survives(place: &Place, args: &[&str], what: &str) -> bool {
    let started = Instant::now();
    let outcome = place.call(args);
    assert!(matches!(outcome.code, Some(0 | 2 | 3)), "{what}: {args:?}: {outcome:#?}");
    assert!(!outcome.stderr.contains("panicked"), "{what}: {args:?}: {outcome:#?}");
    assert!(started.elapsed() < LONGEST, "{what}: {args:?} took {:?}", started.elapsed());
    outcome.code == Some(0)
}

#[test]
fn mutated_models_are_refused_or_used() {
    let place = Place::new();
    place.small_run("pairs", &[]);
    place.small_run("tower", &["model.kind=neumf", "model.layers=[8, 4]"]);
    let picture: Vec<u8> = (0..40 * 12).map(|at| (at * at % 251) as u8).collect();
    place.write("p.pgm", [&b"P5\n12 40\n255\n"[..], &picture].concat());
    place.write(
        "picture.toml",
        "data = { path = 'p.pgm', split = { kind = 'none' } }\nmodel.rank = 3\nsolver.kind = 'svd'\n",
    );
    place.train("picture.toml", []).succeeds();
    let calls: [(&str, &[&[&str]]); 3] = [
        (
            "pairs",
            &[&["recommend", "1"], &["predict", "1", "1"], &["components"], &["query", "--user", "1"], &["evaluate"]],
        ),
        ("tower", &[&["recommend", "1"], &["predict", "1", "1"], &["evaluate"]]),
        ("picture", &[&["reconstruct", "--output", "o.png"], &["components"], &["query", "--item", "1"]]),
    ];
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut used = 0;
    for at in 0..COUNT {
        let (name, commands) = calls[at % calls.len()];
        // What users rated is a file of its own.
        let file = if at % 10 == 9 { "seen.safetensors" } else { "model.safetensors" };
        let path = format!("runs/{name}-1/{file}");
        let good = place.read(&path);
        place.write(&path, mutated(&good, &mut random));
        let command = if file == "seen.safetensors" { &["recommend", "1"] } else { commands[at % commands.len()] };
        let run = format!("runs/{name}-1");
        let args: Vec<&str> = [command[0], &run].into_iter().chain(command[1..].iter().copied()).collect();
        used += usize::from(survives(&place, &args, &format!("mutation {at} of {file}")));
        place.write(&path, good);
    }
    assert!((1..COUNT).contains(&used), "{used} were used");
}

#[test]
fn mutated_checkpoints_are_refused_or_resumed() {
    let place = Place::new();
    place.small_run("adam", &[]);
    place.small_run("strata", &["solver.kind=stratified", "solver.rule=adam"]);
    place.small_run("als", &["solver.kind=als"]);
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut used = 0;
    for at in 0..COUNT {
        let run = ["adam", "strata", "als"][at % 3];
        let config = format!("runs/{run}-1/config.toml");
        if at < 3 {
            // There is something left to train.
            let text = place.text(&config);
            assert!(text.contains("\nepochs = 3\n"), "{text}");
            place.write(&config, text.replace("\nepochs = 3\n", "\nepochs = 5\n"));
        }
        let folder = format!("runs/{run}-1/checkpoints");
        let files = ["last.safetensors", "best.safetensors"].map(|file| format!("{folder}/{file}"));
        let good = [place.read(&files[0]), place.read(&files[1])];
        let which = usize::from(at % 4 == 3);
        place.write(&files[which], mutated(&good[which], &mut random));
        let args = ["train", &config, "--resume", "--quiet"];
        used += usize::from(survives(&place, &args, &format!("mutation {at} of {}", files[which])));
        for (path, bytes) in files.iter().zip(good) {
            place.write(path, bytes);
        }
    }
    assert!((1..COUNT).contains(&used), "{used} were used");
}

/// Each of these was a panic, or would have been a wrong result.
#[test]
fn headers_are_checked_before_anything_is_made_of_them() {
    let place = Place::new();
    place.small_run("c", &[]);
    let edited = |path: &str, edit: Edit| {
        let good = place.read(path);
        let (mut header, rest) = parts(&good);
        let own = &mut header["__metadata__"]["lowrank"];
        let mut inner: Value = serde_json::from_str(own.as_str().expect("text")).expect("JSON");
        edit(&mut inner);
        *own = inner.to_string().into();
        place.write(path, whole(&header, rest));
        good
    };
    let model = "runs/c-1/model.safetensors";
    let edits: [(&str, Edit); 5] = [
        ("its clip is no range", &|header| header["clip"] = json!([5.0, 1.0])),
        ("number out of range", &|header| header["clip"] = json!([1.0, 1e300])),
        ("its layout is of other columns", &|header| {
            header["layout"] = json!({ "kind": "picture", "width": 7, "channels": 1 })
        }),
        ("it holds fewer numbers than its model", &|header| header["values"]["model.rank"] = json!(4096)),
        ("entities.1.ids", &|header| header["entities"][1]["rows"] = json!(1u64 << 40)),
    ];
    for (part, edit) in edits {
        let good = edited(model, edit);
        place.call(["predict", "runs/c-1", "1", "1"]).refuses(&["model.safetensors: ", part]);
        place.write(model, good);
    }
    let (last, best) = ("runs/c-1/checkpoints/last.safetensors", "runs/c-1/checkpoints/best.safetensors");
    let edits: [(&str, &str, Edit); 5] = [
        (last, "its best epoch is none of those", &|header| {
            header["progress"]["best"]["epoch"] = json!(4_000_000_000_u64)
        }),
        (last, "beyond the last", &|header| header["progress"]["epoch"] = json!(4_000)),
        (last, "is not the best epoch", &|header| header["progress"]["best"]["scores"]["rmse"] = json!(0.25)),
        (best, "is not the best epoch", &|header| header["progress"]["best"]["epoch"] = json!(1)),
        (best, "is no whole checkpoint", &|header| header["progress"]["epoch"] = json!(0)),
    ];
    for (path, part, edit) in edits {
        let good = edited(path, edit);
        place.call(["train", "runs/c-1/config.toml", "--resume"]).refuses(&[".safetensors: ", part]);
        place.write(path, good);
    }
    let text = place.text("runs/c-1/config.toml");
    place.write("runs/c-1/config.toml", text.replace("\nepochs = 3\n", "\nepochs = 5\n"));
    let good = edited(last, &|header| header["progress"]["batch"] = json!(1_000));
    place.call(["train", "runs/c-1/config.toml", "--resume"]).refuses(&["last.safetensors: is after step "]);
    place.write(last, good);
    place.call(["train", "runs/c-1/config.toml", "--resume"]).succeeds();
}

/// Killed after the best epoch was written and before the last: the best is ahead, and comes again.
#[test]
fn a_best_epoch_ahead_of_the_last_is_gone_on_with() {
    let place = Place::new();
    place.small_run("c", &["name=whole", "train.epochs=6"]);
    place.small_run("c", &["name=cut", "train.epochs=3"]);
    let text = place.text("runs/cut-1/config.toml");
    place.write("runs/cut-1/config.toml", text.replace("\nepochs = 3\n", "\nepochs = 6\n"));
    let best = "checkpoints/best.safetensors";
    let later = place.read(format!("runs/whole-1/{best}"));
    let epoch = |file: &[u8]| parts(file).0["__metadata__"]["lowrank"].as_str().expect("text").to_owned();
    assert_ne!(epoch(&later), epoch(&place.read(format!("runs/cut-1/{best}"))), "training gets better");
    place.write(&format!("runs/cut-1/{best}"), later);
    place.call(["train", "runs/cut-1/config.toml", "--resume", "--quiet"]).succeeds();
    assert!(place.read("runs/cut-1/model.safetensors") == place.read("runs/whole-1/model.safetensors"));
    let best_epoch = |run: &str| place.json(format!("runs/{run}-1/summary.json"))["best_epoch"].clone();
    assert_eq!(best_epoch("cut"), best_epoch("whole"));
}
