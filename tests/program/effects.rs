//! What values of a context do together, and whether probabilities are calibrated.

use super::Place;

#[test]
fn what_two_columns_do_together_is_found_by_every_model_with_a_context() {
    let place = Place::new();
    // Clicks at night if it is wet, and by day if it is dry, whatever is shown to whom.
    let line = |at: usize| {
        let (night, wet) = (at % 2 == 1, at / 2 % 2 == 1);
        let clicked = (night == wet) != at.is_multiple_of(11);
        let [time, weather] = [["day", "night"][usize::from(night)], ["dry", "wet"][usize::from(wet)]];
        format!("u{},i{},{},{time},{weather}\n", at % 13, at * 5 % 17, u8::from(clicked))
    };
    place.write("r.csv", format!("user,item,rating,time,weather\n{}", (0..1200).map(line).collect::<String>()));
    for model in ["fm", "ffm", "nfm", "deepfm"] {
        place.write(
            "x.toml",
            format!(
                "data = {{ path = 'r.csv', context = ['time', 'weather'], duplicates = 'keep' }}\n\
                 model = {{ kind = '{model}', rank = 4, init_std = 0.3 }}\nloss.kind = 'logistic'\n\
                 solver = {{ learning_rate = 0.03, batch_size = 64 }}\ntrain = {{ epochs = 20, checkpoint_every = 0 }}\n\
                 name = '{model}'\n"
            ),
        );
        place.train("x.toml", []).succeeds();
        let interactions = place.text(format!("runs/{model}-1/interactions.csv"));
        // Both ways of agreeing raise the score, and both others lower it; nothing else does as much.
        for line in interactions.lines().skip(1).take(4) {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!([fields[0], fields[3]], ["time", "weather"], "{model}: {interactions}");
            let agrees = (fields[1] == "night") == (fields[4] == "wet");
            let effect: f64 = fields[7].parse().expect("a number");
            assert_eq!(effect > 0.0, agrees, "{model}: {line}");
        }
        for file in ["interactions.png", "effects.png", "calibration.png"] {
            assert!(place.path(format!("runs/{model}-1/{file}")).is_file(), "{model} {file}");
        }
    }
}
