//! burn on its CPU backend, flex: the network of the task, with Adam.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, Relu};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};
use task::{CLASSES, FEATURES, Peer, Task};

#[derive(Module, Debug)]
struct Network {
    hidden: Vec<Linear>,
    last: Linear,
    relu: Relu,
    dropout: Dropout,
}

impl Network {
    fn new(task: &Task, device: &Device) -> Self {
        let inputs = std::iter::once(FEATURES).chain(task.hidden.iter().copied());
        let layers = inputs.zip(task.hidden.iter().copied().chain([CLASSES]));
        let mut hidden: Vec<Linear> =
            layers.map(|(inputs, units)| LinearConfig::new(inputs, units).init(device)).collect();
        let last = hidden.pop().expect("the output layer");
        Self { hidden, last, relu: Relu::new(), dropout: DropoutConfig::new(task.dropout).init() }
    }

    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        for layer in &self.hidden {
            x = self.dropout.forward(self.relu.forward(layer.forward(x)));
        }
        self.last.forward(x)
    }
}

struct Burn {
    plain: Device,
    training: Device,
    /// None while a step takes it.
    network: Option<Network>,
    /// The same without gradients, from the first prediction after a step on.
    valid: Option<Network>,
    optimizer: ModuleOptimizer,
}

fn images(images: &[f32], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(images.to_vec(), [images.len() / FEATURES, FEATURES]), device)
}

impl Peer for Burn {
    fn step(&mut self, learning_rate: f64, x: &[f32], labels: &[u8]) {
        self.valid = None;
        let network = self.network.take().expect("steps follow each other");
        let targets: Vec<i64> = labels.iter().map(|&label| i64::from(label)).collect();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [labels.len()]), &self.training);
        let logits = network.forward(images(x, &self.training));
        let loss = CrossEntropyLossConfig::new().init(&self.training).forward(logits, targets);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.network = Some(self.optimizer.step(learning_rate, network, gradients));
    }

    fn predict(&mut self, x: &[f32]) -> Vec<f32> {
        let network = self.network.as_ref().expect("steps follow each other");
        let valid = self.valid.get_or_insert_with(|| network.valid());
        valid.forward(images(x, &self.plain)).into_data().to_vec().expect("single precision")
    }
}

fn main() {
    task::run(|task| {
        let plain = Device::flex();
        let training = plain.clone().autodiff();
        training.seed(task.seed);
        Burn {
            network: Some(Network::new(task, &training)),
            valid: None,
            optimizer: AdamConfig::new().with_epsilon(1e-7).init(),
            plain,
            training,
        }
    });
}
