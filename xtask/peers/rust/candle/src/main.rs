//! candle on the CPU: the network of the task, with Adam (AdamW without weight decay).

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{
    AdamW, Dropout, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear, loss,
};
use task::{CLASSES, FEATURES, Peer, Task};

struct Candle {
    hidden: Vec<Linear>,
    last: Linear,
    dropout: Option<Dropout>,
    optimizer: AdamW,
}

impl Candle {
    fn new(task: &Task) -> Result<Self> {
        let variables = VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        let inputs = std::iter::once(FEATURES).chain(task.hidden.iter().copied());
        let layers = inputs.zip(task.hidden.iter().copied().chain([CLASSES])).enumerate();
        let mut hidden = layers
            .map(|(layer, (inputs, units))| linear(inputs, units, builder.pp(layer.to_string())))
            .collect::<Result<Vec<_>>>()?;
        let last = hidden.pop().expect("the output layer");
        let adam = ParamsAdamW { weight_decay: 0.0, eps: 1e-7, ..Default::default() };
        let optimizer = AdamW::new(variables.all_vars(), adam)?;
        let dropout = (task.dropout > 0.0).then(|| Dropout::new(task.dropout as f32));
        Ok(Self { hidden, last, dropout, optimizer })
    }

    fn forward(&self, images: &[f32], training: bool) -> Result<Tensor> {
        let mut x = Tensor::from_slice(images, (images.len() / FEATURES, FEATURES), &Device::Cpu)?;
        for layer in &self.hidden {
            x = layer.forward(&x)?.relu()?;
            if let Some(dropout) = &self.dropout {
                x = dropout.forward(&x, training)?;
            }
        }
        self.last.forward(&x)
    }
}

impl Peer for Candle {
    fn step(&mut self, learning_rate: f64, images: &[f32], labels: &[u8]) {
        let mut step = || {
            let labels: Vec<u32> = labels.iter().map(|&label| u32::from(label)).collect();
            let labels = Tensor::from_slice(&labels, labels.len(), &Device::Cpu)?;
            let loss = loss::cross_entropy(&self.forward(images, true)?, &labels)?;
            self.optimizer.set_learning_rate(learning_rate);
            self.optimizer.backward_step(&loss)
        };
        step().expect("a step of candle");
    }

    fn predict(&mut self, images: &[f32]) -> Vec<f32> {
        let scores = self.forward(images, false).and_then(|scores| scores.flatten_all()?.to_vec1());
        scores.expect("a prediction of candle")
    }
}

fn main() {
    task::run(|task| Candle::new(task).expect("the network in candle"));
}
