//! The example: a program of another crate whose model reads a column beside user and item.

use serde_json::Value;

use super::{Outcome, Place, number, outcome};

/// The example as it was built beside these tests.
fn example() -> String {
    let this = std::env::current_exe().expect("this test program");
    let release = this.parent().and_then(|deps| deps.parent()).expect("the folder of the build");
    let example = release.join("examples").join(format!("own_model{}", std::env::consts::EXE_SUFFIX));
    example.to_str().expect("UTF-8").to_string()
}

/// Ratings of which a third of the spread is the hour's: 12 users, 10 items, 3 hours.
fn ratings() -> String {
    let mut text = String::from("user,item,rating,hour\n");
    for user in 0..12 {
        for item in 0..10 {
            let hour = (user * item + item) % 3;
            let rating = 1.0 + f64::from((user + item) % 3) + f64::from(hour);
            text += &format!("u{user},i{item},{rating},{}\n", ["morning", "noon", "night"][hour as usize]);
        }
    }
    text
}

const CONFIG: &str = "name = 'own'\ndata = { path = 'r.csv', context = ['hour'], split = { kind = 'random', test = 0.2 } }\n\
     model = { kind = 'tensor-factorization', rank = 3, init_std = 0.3 }\n\
     solver = { learning_rate = 0.05, batch_size = 32, regularization = { hour_factors = 0.0, hour_biases = 0.0 } }\n\
     train = { epochs = 40, checkpoint_every = 1 }\n";

#[test]
fn a_model_of_another_crate_has_every_command_and_reads_its_column() {
    let place = Place::new();
    place.write("r.csv", ratings());
    place.write("own.toml", CONFIG);
    let call = |arguments: &[&str]| -> Outcome { outcome(place.command(&example()).args(arguments)) };
    let summary: Value = call(&["train", "own.toml", "--quiet", "--json"]).succeeds().json();
    // Without the hour, a third of the spread would be left.
    let (found, biases) = (number(&summary, "/test/rmse"), number(&summary, "/baselines/biases/rmse"));
    assert!(found < 0.6 * biases, "{found} and {biases}");

    let predicted = |hour: &str| -> f64 {
        let outcome = call(&["predict", "runs/own-1", "u1", "i1", "--context", &format!("hour={hour}"), "--json"]);
        number(&outcome.succeeds().json(), "/0/prediction")
    };
    assert!(predicted("night") > predicted("morning") + 0.5);
    call(&["recommend", "runs/own-1", "u1", "--context", "hour=noon", "--keep-seen"]).succeeds();
    call(&["recommend", "runs/own-1", "u1"]).refuses(&["add --context hour=ID"]);
    call(&["predict", "runs/own-1", "u1", "i1", "--context", "day=1"]).refuses(&["this model has hour"]);
    call(&["train", "own.toml", "--resume", "--quiet"]).succeeds();
    call(&["evaluate", "runs/own-1"]).succeeds();
    assert!(call(&["config", "explain", "data.context"]).succeeds().stdout.contains("Columns beside these"));

    // Without the model, its file and its keys are refused by name.
    place.call(["predict", "runs/own-1", "u1", "i1"]).refuses(&["\"tensor-factorization\""]);
    place.call(["train", "own.toml"]).refuses(&["tensor-factorization"]);
}
