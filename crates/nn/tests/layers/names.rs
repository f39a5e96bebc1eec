//! Layers that are given names.

use super::*;

#[test]
fn a_given_name_is_the_layer_s_everywhere() {
    let network = Sequential::new(4)
        .add(Dense::new(3).name("hidden"))
        .add(Activation::Relu)
        .add(Dense::new(3))
        .add(Residual::new().add(Dense::new(3).name("inner")).name("block"))
        .add(Dense::new(2));
    assert_eq!(network.layer_names(), ["hidden", "activation", "dense", "block", "dense_1"]);
    assert_eq!(network.summary().rows[3].name, "block");
    let mut model = compiled::<f32>(&network, 1);
    let names: Vec<_> = model.parameters().tensors().iter().map(|tensor| tensor.name.clone()).collect();
    assert_eq!(names[..2], ["hidden.kernel", "hidden.bias"]);
    assert_eq!(names[4], "block.inner.kernel");
    model.set_trainable("hidden", false).unwrap();
    assert!(!model.parameters().tensors()[0].trainable);

    let other = compiled::<f32>(&Sequential::new(4).add(dense(3).name("hidden")).add(Dense::new(7)), 1);
    assert_eq!(model.copy_weights_from(&other, &["hidden"]).unwrap(), ["hidden.kernel", "hidden.bias"]);
    assert_eq!(model.parameters().tensor(1), other.parameters().tensor(1));

    let again = Model::<f32>::from_bytes(&model.to_bytes().unwrap(), Pool::new(1).unwrap()).unwrap();
    assert_eq!(again.description(), model.description());
    assert_eq!(again.fingerprint(), model.fingerprint());
}

/// Whichever of the two has a tensor more, and where a value does not fit.
#[test]
fn a_layer_is_copied_as_a_whole_or_not_at_all() {
    let whole = Sequential::new(4).add(Dense::new(3).name("hidden"));
    let bare = Sequential::new(4).add(Dense::new(3).use_bias(false).name("hidden"));
    let (mut whole, mut bare) = (compiled::<f32>(&whole, 1), compiled::<f64>(&bare, 1));
    let before = whole.fingerprint();
    for error in [
        whole.copy_weights_from(&bare, &["hidden"]).unwrap_err(),
        bare.copy_weights_from(&whole, &["hidden"]).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "tensor hidden.bias is missing");
    }
    let mut large = compiled::<f64>(whole.description(), 1);
    large.parameters_mut().tensor_mut(0)[1] = 1e300;
    let error = whole.copy_weights_from(&large, &["hidden"]).unwrap_err();
    assert_eq!(error.to_string(), "value 1 of tensor hidden.kernel is inf, expected a finite number");
    assert_eq!(whole.fingerprint(), before);
}

#[test]
fn every_layer_but_an_activation_takes_a_name() {
    for text in LAYERS {
        let named = match text.strip_prefix("DropConnect(") {
            None => text.replacen('(', "(name: \"mine\", ", 1),
            Some(_) => text.replace("dense: (", "dense: (name: \"mine\", "),
        };
        let network = Sequential::new(5).add(Dense::new(5)).add(layer(&named));
        assert_eq!(network.layer_names()[1], "mine", "{named}");
        assert_eq!(Sequential::from_ron(&network.to_ron().unwrap()).unwrap(), network, "{named}");
        // Who gives no name reads and writes what was written before there were names.
        let without = Sequential::new(5).add(Dense::new(5)).add(layer(text));
        assert!(!without.to_ron().unwrap().contains("name"), "{text}");
    }
}

#[test]
fn a_name_that_was_given_is_not_made_again() {
    let network = Sequential::new(2).add(Dense::new(2)).add(Dense::new(2).name("dense")).add(Dense::new(2));
    assert_eq!(network.layer_names(), ["dense_1", "dense", "dense_2"]);
    assert!(network.validate().is_ok());
}

#[test]
fn names_that_are_taken_or_no_words_are_refused() {
    let named = |name: &str| Dense::new(2).name(name);
    let block = |name: &str| Residual::new().add(named(name));
    for (network, expected) in [
        (
            Sequential::new(2).add(named("a")).add(Dense::new(2)).add(named("a")),
            "layer 3 (a): layer 1 has this name already, expected another one",
        ),
        (
            Sequential::new(2).add(Dense::new(2)).add(block("a").add(named("a"))),
            "layer 2 (residual.a): layer 2 has this name already, expected another one",
        ),
        (
            Sequential::new(2).add(named("a.b")),
            "layer 1 (a.b): its name is \"a.b\", expected a letter, then letters, digits and underscores",
        ),
        (
            Sequential::new(2).add(named("")),
            "layer 1 (): its name is \"\", expected a letter, then letters, digits and underscores",
        ),
        (
            Sequential::new(2).add(named("1st")),
            "layer 1 (1st): its name is \"1st\", expected a letter, then letters, digits and underscores",
        ),
    ] {
        assert_eq!(network.validate().unwrap_err().to_string(), expected);
        assert_eq!(Sequential::from_ron(&network.to_ron().unwrap()).unwrap_err().to_string(), expected);
    }
    // In different blocks they are different names.
    let network = Sequential::new(2).add(named("a")).add(block("a")).add(block("a"));
    assert!(network.validate().is_ok());
}
