/// The mean of squared differences.
@Graph
public func meanSquaredError<S: TensorFloat>(predicted: Tensor<S>, expected: Tensor<S>) -> Tensor<S> {
  (predicted - expected).squared().mean()
}

/// The mean of absolute differences.
@Graph
public func meanAbsoluteError<S: TensorFloat>(predicted: Tensor<S>, expected: Tensor<S>) -> Tensor<S> {
  abs(predicted - expected).mean()
}

/// The mean of the negated logarithms of the labels' probabilities, which are the softmax of the last dimension.
///
/// `logits` is `[…, classes]`, `labels` has its leading dimensions.
@Graph
public func softmaxCrossEntropy<S: TensorFloat, Label: TensorNumeric>(
  logits: Tensor<S>, labels: Tensor<Label>
) -> Tensor<S> {
  let places = Tensor<Int64>(indicesOf: [logits.dimensions[logits.rank - 1]])
  let isLabel = Tensor<Int64>(labels).expandingDimension(at: -1) .== places
  return -select(isLabel, logSoftmax(logits), 0).sum(along: -1).mean()
}

/// The mean of the cross entropies of given probabilities and the softmax of the last dimension.
@Graph
public func softmaxCrossEntropy<S: TensorFloat>(logits: Tensor<S>, probabilities: Tensor<S>) -> Tensor<S> {
  let terms = logSoftmax(logits) * probabilities
  return -select(probabilities .== 0, 0, terms).sum(along: -1).mean()
}

/// The mean of the cross entropies of given probabilities and sigmoids, without overflow.
@Graph
public func sigmoidCrossEntropy<S: TensorFloat>(logits: Tensor<S>, probabilities: Tensor<S>) -> Tensor<S> {
  (softplus(logits) - logits * probabilities).mean()
}
